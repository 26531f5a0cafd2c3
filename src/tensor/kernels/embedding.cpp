#include "tensor/kernels/embedding.h"

#include <algorithm>
#include <vector>

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/embedding.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// y = the sum of `count` rows.
template <typename T>
void add_rows(T* y, const T* const* rows, Dim count, Dim C) {
  const Tag<T> d;
  for_each_vector(d, C, [&](auto part) HWY_ATTR {
    auto sum = part.load(rows[0]);
    for (Dim i = 1; i < count; ++i) sum = Add(sum, part.load(rows[i]));
    part.store(sum, y);
  });
}

// drow += the rows n[0], n[1] ... of dy, for `width` columns.
template <typename T>
void add_to_row(T* drow, const T* dy, const std::int32_t* n, Dim count, Dim C, Dim width) {
  constexpr Dim kAtOnce = 64;
  const Tag<T> d;
  for_each_vector(d, width, [&](auto part) HWY_ATTR {
    auto total = part.load(drow);
    for (Dim begin = 0; begin < count; begin += kAtOnce) {
      const Dim end = begin + kAtOnce < count ? begin + kAtOnce : count;
      auto sum = part.load(dy + n[begin] * C);
      for (Dim i = begin + 1; i < end; ++i) sum = Add(sum, part.load(dy + n[i] * C));
      total = Add(total, sum);
    }
    part.store(total, drow);
  });
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(add_rows);
RAPT_EXPORT(add_to_row);

namespace kernels {
namespace {

// For every row of a table, the n that select it; rows without any, and the skipped one, are left out.
struct Buckets {
  std::vector<std::int32_t> order;  // n, by row and in the order of n within a row
  std::vector<Dim> begins;          // where each row's n begin in `order`, and the size of `order`
  std::vector<std::int32_t> rows;   // the number of that row
};

Buckets bucket_by_row(const std::int32_t* ids, Dim N, Dim rows, std::int32_t skipped) {
  std::vector<Dim> next(static_cast<std::size_t>(rows) + 1);
  Dim taken = 0;
  for (Dim n = 0; n < N; ++n) {
    if (ids[n] == skipped) continue;
    ++next[static_cast<std::size_t>(ids[n]) + 1];
    ++taken;
  }
  Buckets buckets;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    if (next[row + 1] > 0) {
      buckets.rows.push_back(static_cast<std::int32_t>(row));
      buckets.begins.push_back(next[row]);
    }
    next[row + 1] += next[row];
  }
  buckets.begins.push_back(taken);
  buckets.order.resize(static_cast<std::size_t>(taken));
  for (Dim n = 0; n < N; ++n) {
    if (ids[n] == skipped) continue;
    Dim& place = next[static_cast<std::size_t>(ids[n])];
    buckets.order[static_cast<std::size_t>(place++)] = static_cast<std::int32_t>(n);
  }
  return buckets;
}

}  // namespace

template <typename T>
void embedding_forward(T* y, std::span<const RowLookup<T>> lookups, Dim N, Dim C) {
  const auto count = static_cast<Dim>(lookups.size());
  count_elements<T>((count + 1) * N * C);
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    std::vector<const T*> rows(lookups.size());
    for (Dim n = begin; n < end; ++n) {
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = lookups[i].table + lookups[i].ids[n] * C;
      RAPT_DISPATCH(T, add_rows)(y + n * C, rows.data(), count, C);
    }
  });
}
RAPT_INSTANTIATE(embedding_forward);

template <typename T>
void embedding_backward(T* dtable, const T* dy, const std::int32_t* ids, Dim N, Dim rows, Dim C, std::int32_t skipped) {
  if (N == 0 || C == 0) return;
  const Buckets buckets = bucket_by_row(ids, N, rows, skipped);
  const auto used = static_cast<Dim>(buckets.rows.size());
  count_elements<T>((N + 2 * used) * C);
  // Columns are divided as well: a table of two segments has only two rows.
  constexpr Dim kColumns = 128, kRows = 16;
  const Dim strips = (C + kColumns - 1) / kColumns;
  const auto add_piece = [&](Dim piece) {
    const Dim column = piece % strips * kColumns, width = std::min(kColumns, C - column);
    const Dim first = piece / strips * kRows, last = std::min(used, first + kRows);
    for (Dim i = first; i < last; ++i) {
      const auto bucket = static_cast<std::size_t>(i);
      RAPT_DISPATCH(T, add_to_row)
      (dtable + buckets.rows[bucket] * C + column, dy + column, buckets.order.data() + buckets.begins[bucket],
       buckets.begins[bucket + 1] - buckets.begins[bucket], C, width);
    }
  };
  parallel_for(strips * ((used + kRows - 1) / kRows), add_piece, Schedule::kDynamic);
}
RAPT_INSTANTIATE(embedding_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
