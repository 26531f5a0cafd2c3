// The encoded sources of sequences that are being decoded.
#pragma once

#include <span>
#include <vector>

#include "tensor/packed.h"

namespace rapt {

/// Keys and values of encoded sources in every layer of a decoder, computed once. Sequences with the same source share
/// them, so reordering sequences copies one number for each.
class SourceCache final {
 public:
  /// One sequence per source at first.
  /// \param layout  of the sources
  /// \param layers  per layer, keys and values side by side, [S, 2C]
  SourceCache(const Packed& layout, std::vector<Tensor> layers) : layout_(layout), layers_(std::move(layers)) {
    for (Dim b = 0; b < layout.sequences(); ++b) source_of_.push_back(b);
  }

  Dim sequences() const { return static_cast<Dim>(source_of_.size()); }
  const Tensor& layer(std::size_t index) const { return layers_[index]; }
  /// The first row of a sequence's source in each layer, and the number of its rows.
  Dim first_row(Dim sequence) const { return offset(source_of_[static_cast<std::size_t>(sequence)]); }
  Dim rows(Dim sequence) const {
    return offset(source_of_[static_cast<std::size_t>(sequence)] + 1) - first_row(sequence);
  }

  /// Sequence b becomes the previous sequence from[b], with its source.
  void reorder(std::span<const Dim> from) {
    std::vector<Dim> moved;
    for (const Dim b : from) moved.push_back(source_of_[static_cast<std::size_t>(b)]);
    source_of_ = std::move(moved);
  }

 private:
  Dim offset(Dim source) const { return layout_.offsets.data<std::int32_t>()[source]; }

  Packed layout_;
  std::vector<Tensor> layers_;
  std::vector<Dim> source_of_;
};

}  // namespace rapt
