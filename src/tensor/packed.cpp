#include "tensor/packed.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

namespace rapt {

Packed pack_lengths(std::span<const Dim> lengths) {
  const Dim B = static_cast<Dim>(lengths.size());
  Packed packed{.offsets = Tensor::empty({B + 1}, DType::kI32), .longest = 0};
  std::int32_t* offsets = packed.offsets.data<std::int32_t>();
  Dim rows = 0;
  offsets[0] = 0;
  for (Dim b = 0; b < B; ++b) {
    const Dim length = lengths[static_cast<std::size_t>(b)];
    require_shape(length >= 0, [&] {
      return "pack_lengths: a length must not be negative, got " + std::to_string(length) + " for sequence " +
             std::to_string(b);
    });
    require_shape(length <= std::numeric_limits<std::int32_t>::max() - rows, [&] {
      return "pack_lengths: a batch must have fewer than 2^31 rows, got " + std::to_string(rows) + " + " +
             std::to_string(length) + "; use a smaller batch";
    });
    rows += length;
    offsets[b + 1] = static_cast<std::int32_t>(rows);
    packed.longest = std::max(packed.longest, length);
  }
  return packed;
}

// offsets[b + at_end] - at_end for each sequence.
static Tensor edge_rows(const Packed& layout, std::size_t at_end) {
  const auto offsets = layout.offsets.span<std::int32_t>();
  Tensor rows = Tensor::empty({layout.sequences()}, DType::kI32);
  const auto edges = rows.span<std::int32_t>();
  for (std::size_t b = 0; b < edges.size(); ++b) {
    require_shape(offsets[b] < offsets[b + 1], [&] {
      return "batch: sequence " + std::to_string(b) + " is empty, so it has no first or last token";
    });
    edges[b] = offsets[b + at_end] - static_cast<std::int32_t>(at_end);
  }
  return rows;
}

Tensor first_rows(const Packed& layout) { return edge_rows(layout, 0); }
Tensor last_rows(const Packed& layout) { return edge_rows(layout, 1); }

Tensor positions_of(const Packed& layout) {
  const auto offsets = layout.offsets.span<std::int32_t>();
  Tensor positions = Tensor::empty({layout.rows()}, DType::kI32);
  const auto all = positions.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    std::iota(all.begin() + offsets[b], all.begin() + offsets[b + 1], 0);
  }
  return positions;
}

Tensor sequences_of(const Packed& layout) {
  const auto offsets = layout.offsets.span<std::int32_t>();
  Tensor sequences = Tensor::empty({layout.rows()}, DType::kI32);
  const auto all = sequences.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    std::fill(all.begin() + offsets[b], all.begin() + offsets[b + 1], static_cast<std::int32_t>(b));
  }
  return sequences;
}

Tensor all_rows(Dim count) {
  Tensor rows = Tensor::empty({count}, DType::kI32);
  const auto indices = rows.span<std::int32_t>();
  std::iota(indices.begin(), indices.end(), 0);
  return rows;
}

}  // namespace rapt
