// Batches of integers as lists, to compare them.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/batch.h"

namespace rapt::testing {

/// The integers of an i32 tensor.
inline std::vector<std::int32_t> ids_of(const Tensor& tensor) {
  const auto values = tensor.span<std::int32_t>();
  return {values.begin(), values.end()};
}

/// Whether two batches have the same tokens, positions, segments, sequences, targets and labels, all of integers.
inline bool same_batch(const Batch& a, const Batch& b) {
  const auto same = [](const Tensor& x, const Tensor& y) {
    return x.defined() == y.defined() && (!x.defined() || ids_of(x) == ids_of(y));
  };
  return same(a.input.tokens, b.input.tokens) && same(a.input.positions, b.input.positions) &&
         same(a.input.segments, b.input.segments) && same(a.targets.rows, b.targets.rows) &&
         same(a.targets.ids, b.targets.ids) && same(label_values(a.labels), label_values(b.labels)) &&
         same(a.input.layout.offsets, b.input.layout.offsets);
}

}  // namespace rapt::testing
