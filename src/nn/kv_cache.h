// Keys and values of tokens that a decoder has seen, so that the next token costs one row and not all of them again.
#pragma once

#include <span>
#include <vector>

#include "tensor/batch.h"

namespace rapt {

/// The cache of B sequences over all layers. A forward pass appends the keys and values of its new tokens; advance()
/// then moves the lengths on. Sequences may have different lengths and may be reordered or dropped between passes.
class KeyValueCache final {
 public:
  /// One layer's part.
  struct Layer {
    Tensor keys, values;  // [most_sequences * capacity, C]; sequence b owns rows from b * capacity on
    const KeyValueCache* cache = nullptr;
  };

  struct Options {
    Dim layers = 0, sequences = 0;
    Dim most_sequences = 0;  ///< that there may ever be; at least `sequences`
    Dim capacity = 0;        ///< most tokens a sequence can have
    Dim width = 0;
    DType dtype = DType::kF32;
  };

  explicit KeyValueCache(const Options& options);
  KeyValueCache(const KeyValueCache&) = delete;
  KeyValueCache& operator=(const KeyValueCache&) = delete;

  Dim sequences() const { return static_cast<Dim>(lengths_.size()); }
  Dim capacity() const { return capacity_; }
  Dim length(Dim sequence) const { return lengths_[static_cast<std::size_t>(sequence)]; }
  Layer& layer(std::size_t index) { return layers_[index]; }

  /// The tokens of `layout` are in all layers now.
  void advance(const Packed& layout);

  /// Sequence b becomes what sequence from[b] was; what beam search and finished sequences need. There may be fewer
  /// sequences afterwards, or more, up to most_sequences.
  void reorder(std::span<const Dim> from);

 private:
  Dim capacity_;
  std::vector<Layer> layers_;
  std::vector<Dim> lengths_;
};

}  // namespace rapt
