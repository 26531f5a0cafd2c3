// Keys and values of the tokens that a decoder has processed, so that each new token costs one row instead of all of
// them.
#pragma once

#include <span>
#include <vector>

#include "tensor/packed.h"

namespace rapt {

/// The cache of B sequences over all layers. A forward pass appends the keys and values of its new tokens; advance()
/// then increases the lengths. Sequences may have different lengths, and may be reordered or dropped between passes.
class KeyValueCache final {
 public:
  /// The cache of one layer.
  struct Layer {
    Tensor keys, values;  // [room * capacity, C], room >= B; sequence b owns the rows from b * capacity
    const KeyValueCache* cache = nullptr;
  };

  struct Options {
    Dim layers = 0, sequences = 0;
    Dim capacity = 0;  ///< maximum number of tokens per sequence
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

  /// Marks the tokens of `layout` as present in all layers.
  void advance(const Packed& layout);

  /// Sequence b becomes the previous sequence from[b], for beam search and finished sequences. The number of sequences
  /// may shrink or grow.
  void reorder(std::span<const Dim> from);

 private:
  Dim capacity_;
  std::vector<Layer> layers_;
  std::vector<Dim> lengths_;
};

}  // namespace rapt
