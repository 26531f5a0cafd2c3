#include "nn/kv_cache.h"

#include <cstring>

#include "tensor/parallel.h"

namespace rapt {

KeyValueCache::KeyValueCache(const Options& o)
    : capacity_(o.capacity), lengths_(static_cast<std::size_t>(o.sequences), 0) {
  const Shape shape{o.sequences * o.capacity, o.width};
  for (Dim i = 0; i < o.layers; ++i)
    layers_.push_back({Tensor::empty(shape, o.dtype), Tensor::empty(shape, o.dtype), this});
}

void KeyValueCache::advance(const Packed& layout) {
  const std::int32_t* const offsets = layout.offsets.data<std::int32_t>();
  for (std::size_t b = 0; b < lengths_.size(); ++b) lengths_[b] += offsets[b + 1] - offsets[b];
}

namespace {

// The bytes of a sequence's rows: where they start, and how many hold tokens.
struct Rows {
  std::byte* base;
  std::size_t stride, token;

  Rows(Tensor& tensor, Dim capacity)
      : base(static_cast<std::byte*>(tensor.raw())),
        stride(static_cast<std::size_t>(capacity * tensor.shape().back()) * size_of(tensor.dtype())),
        token(static_cast<std::size_t>(tensor.shape().back()) * size_of(tensor.dtype())) {}
  std::byte* of(std::size_t sequence) const { return base + sequence * stride; }
};

// In place. Sequences that swap would overwrite each other, so rows that are still needed are copied beforehand.
void take_over(Tensor& tensor, Dim capacity, std::span<const Dim> from, const std::vector<Dim>& lengths) {
  const Rows rows(tensor, capacity);
  std::vector<std::vector<std::byte>> saved(from.size());
  for (std::size_t b = 0; b < from.size(); ++b) {
    const auto source = static_cast<std::size_t>(from[b]);
    if (source == b) continue;
    const std::byte* const first = rows.of(source);
    saved[b].assign(first, first + static_cast<std::size_t>(lengths[b]) * rows.token);
  }
  for (std::size_t b = 0; b < from.size(); ++b) {
    if (!saved[b].empty()) std::memcpy(rows.of(b), saved[b].data(), saved[b].size());
  }
}

// Into a larger tensor.
void move_over(Tensor& tensor, Dim capacity, std::span<const Dim> from, const std::vector<Dim>& lengths) {
  Tensor larger = Tensor::empty({static_cast<Dim>(from.size()) * capacity, tensor.shape().back()}, tensor.dtype());
  const Rows to(larger, capacity), rows(tensor, capacity);
  for (std::size_t b = 0; b < from.size(); ++b) {
    const std::size_t bytes = static_cast<std::size_t>(lengths[b]) * rows.token;
    if (bytes > 0) std::memcpy(to.of(b), rows.of(static_cast<std::size_t>(from[b])), bytes);
  }
  tensor = larger;
}

}  // namespace

void KeyValueCache::reorder(std::span<const Dim> from) {
  std::vector<Dim> lengths;
  for (const Dim source : from) lengths.push_back(lengths_[static_cast<std::size_t>(source)]);
  const auto needed = static_cast<Dim>(from.size()) * capacity_;
  parallel_for(static_cast<Dim>(layers_.size()) * 2, [&](Dim part) {
    Layer& layer = layers_[static_cast<std::size_t>(part / 2)];
    Tensor& rows = part % 2 == 0 ? layer.keys : layer.values;
    if (needed > rows.shape()[0]) {
      move_over(rows, capacity_, from, lengths);
    } else {
      take_over(rows, capacity_, from, lengths);
    }
  });
  lengths_ = std::move(lengths);
}

}  // namespace rapt
