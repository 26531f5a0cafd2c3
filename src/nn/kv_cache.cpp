#include "nn/kv_cache.h"

#include <cstring>

#include "tensor/parallel.h"

namespace rapt {

KeyValueCache::KeyValueCache(const Options& o)
    : capacity_(o.capacity), lengths_(static_cast<std::size_t>(o.sequences), 0) {
  const Shape shape{o.most_sequences * o.capacity, o.width};
  for (Dim i = 0; i < o.layers; ++i)
    layers_.push_back({Tensor::empty(shape, o.dtype), Tensor::empty(shape, o.dtype), this});
}

void KeyValueCache::advance(const Packed& layout) {
  const std::int32_t* const offsets = layout.offsets.data<std::int32_t>();
  for (std::size_t b = 0; b < lengths_.size(); ++b) lengths_[b] += offsets[b + 1] - offsets[b];
}

// Copies the rows that sequences take over from others. Sequences that swap would overwrite each other, so rows that
// are still needed are copied beforehand.
void KeyValueCache::reorder(std::span<const Dim> from) {
  std::vector<Dim> lengths;
  for (const Dim source : from) lengths.push_back(lengths_[static_cast<std::size_t>(source)]);
  const Dim C = layers_.empty() ? 0 : layers_[0].keys.shape().back();
  parallel_for(static_cast<Dim>(layers_.size()) * 2, [&](Dim part) {
    Layer& layer = layers_[static_cast<std::size_t>(part / 2)];
    Tensor& rows = part % 2 == 0 ? layer.keys : layer.values;
    const std::size_t stride = static_cast<std::size_t>(capacity_ * C) * size_of(rows.dtype());
    const std::size_t token = static_cast<std::size_t>(C) * size_of(rows.dtype());
    auto* const base = static_cast<std::byte*>(rows.raw());
    std::vector<std::vector<std::byte>> saved(from.size());
    for (std::size_t b = 0; b < from.size(); ++b) {
      const auto source = static_cast<std::size_t>(from[b]);
      if (source == b) continue;
      const std::byte* const first = base + source * stride;
      saved[b].assign(first, first + static_cast<std::size_t>(lengths[b]) * token);
    }
    for (std::size_t b = 0; b < from.size(); ++b) {
      if (!saved[b].empty()) std::memcpy(base + b * stride, saved[b].data(), saved[b].size());
    }
  });
  lengths_ = std::move(lengths);
}

}  // namespace rapt
