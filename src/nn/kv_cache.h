// Keys and values of the tokens that a decoder has processed, so that each new token costs one row instead of all of
// them.
#pragma once

#include <span>
#include <vector>

#include "tensor/packed.h"

namespace rapt {

/// The cache of B sequences over all layers. A token has one row, the same in every layer, and a sequence is a list of
/// rows: reordering sequences copies these lists, and sequences that begin alike share the rows of their beginning.
/// Before a forward pass, extend() gives rows to its new tokens; each layer then writes keys and values into them.
class KeyValueCache final {
 public:
  /// The cache of one layer.
  struct Layer {
    Tensor keys, values;  // [room, C]
    const KeyValueCache* cache = nullptr;

    /// Writes the keys and the values of the new tokens.
    /// \param qkv  [N, 3C]: queries, keys, values of the tokens that extend() was called for
    void write_new(const Tensor& qkv);
  };

  struct Options {
    Dim layers = 0, sequences = 0, width = 0;
    DType dtype = DType::kF32;
  };

  explicit KeyValueCache(const Options& options);
  KeyValueCache(const KeyValueCache&) = delete;
  KeyValueCache& operator=(const KeyValueCache&) = delete;

  Dim sequences() const { return static_cast<Dim>(rows_.size()); }
  Dim length(Dim sequence) const { return static_cast<Dim>(rows(sequence).size()); }
  /// The rows of a sequence's tokens in every layer, in the order of the tokens.
  std::span<const std::int32_t> rows(Dim sequence) const { return rows_[static_cast<std::size_t>(sequence)]; }
  Layer& layer(std::size_t index) { return layers_[index]; }

  /// Appends the tokens of `layout` to the sequences. Rows that no sequence uses any more are used again.
  void extend(const Packed& layout);

  /// Sequence b becomes the previous sequence from[b], for beam search and finished sequences. The number of sequences
  /// may shrink or grow.
  void reorder(std::span<const Dim> from);

  /// Forgets the tokens of a sequence.
  void clear(Dim sequence) { rows_[static_cast<std::size_t>(sequence)].clear(); }

 private:
  void make_room(Dim more);

  Options options_;
  std::vector<Layer> layers_;
  std::vector<std::vector<std::int32_t>> rows_;
  Dim used_ = 0;       // rows [0, used) of each layer hold tokens, some of them of no sequence any more
  Dim first_new_ = 0;  // the row of the first token of the last extend(); the others follow it
};

}  // namespace rapt
