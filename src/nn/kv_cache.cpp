#include "nn/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "tensor/parallel.h"

namespace rapt {
namespace {

constexpr Dim kLeastRoom = 64;  // rows

// The bytes of one row.
std::size_t row_bytes(const Tensor& rows) {
  return static_cast<std::size_t>(rows.shape().back()) * size_of(rows.dtype());
}

// A tensor with room for more rows, whose first ones are rows `kept` of x.
Tensor with_room(const Tensor& x, const std::vector<std::int32_t>& kept, Dim room) {
  Tensor y = Tensor::empty({room, x.shape().back()}, x.dtype());
  const std::size_t bytes = row_bytes(x);
  auto* const to = static_cast<std::byte*>(y.raw());
  const auto* const from = static_cast<const std::byte*>(x.raw());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    std::memcpy(to + i * bytes, from + static_cast<std::size_t>(kept[i]) * bytes, bytes);
  }
  return y;
}

}  // namespace

KeyValueCache::KeyValueCache(const Options& o) : options_(o), rows_(static_cast<std::size_t>(o.sequences)) {
  for (Dim i = 0; i < o.layers; ++i)
    layers_.push_back({Tensor::empty({0, o.width}, o.dtype), Tensor::empty({0, o.width}, o.dtype), this});
}

void KeyValueCache::make_room(Dim more) {
  if (layers_.empty() || used_ + more <= layers_[0].keys.shape()[0]) return;
  std::vector<std::int32_t> kept;  // rows that a sequence uses, in order
  for (const auto& rows : rows_) kept.insert(kept.end(), rows.begin(), rows.end());
  std::ranges::sort(kept);
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());  // clang 14 does not support std::ranges::unique
  std::vector<std::int32_t> moved(static_cast<std::size_t>(used_));
  for (std::size_t i = 0; i < kept.size(); ++i) moved[static_cast<std::size_t>(kept[i])] = static_cast<std::int32_t>(i);
  for (auto& rows : rows_) {
    for (std::int32_t& row : rows) row = moved[static_cast<std::size_t>(row)];
  }
  used_ = static_cast<Dim>(kept.size());
  const Dim room = std::max(kLeastRoom, 2 * (used_ + more));
  parallel_for(static_cast<Dim>(layers_.size()) * 2, [&](Dim part) {
    Layer& layer = layers_[static_cast<std::size_t>(part / 2)];
    Tensor& rows = part % 2 == 0 ? layer.keys : layer.values;
    rows = with_room(rows, kept, room);
  });
}

void KeyValueCache::extend(const Packed& layout) {
  make_room(layout.rows());
  first_new_ = used_;
  const std::span<const std::int32_t> offsets = layout.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b < rows_.size(); ++b) {
    for (std::int32_t n = offsets[b]; n < offsets[b + 1]; ++n) {
      rows_[b].push_back(static_cast<std::int32_t>(first_new_) + n);
    }
  }
  used_ += layout.rows();
}

void KeyValueCache::Layer::write_new(const Tensor& qkv) {
  const std::size_t bytes = row_bytes(keys);
  const auto first = static_cast<std::size_t>(cache->first_new_) * bytes;
  auto* to_keys = static_cast<std::byte*>(keys.raw()) + first;
  auto* to_values = static_cast<std::byte*>(values.raw()) + first;
  const auto* from = static_cast<const std::byte*>(qkv.raw());
  for (Dim n = 0; n < qkv.shape()[0]; ++n, to_keys += bytes, to_values += bytes, from += 3 * bytes) {
    std::memcpy(to_keys, from + bytes, bytes);
    std::memcpy(to_values, from + 2 * bytes, bytes);
  }
}

void KeyValueCache::reorder(std::span<const Dim> from) {
  std::vector<std::vector<std::int32_t>> rows;
  rows.reserve(from.size());
  for (const Dim source : from) rows.push_back(rows_[static_cast<std::size_t>(source)]);
  rows_ = std::move(rows);
}

}  // namespace rapt
