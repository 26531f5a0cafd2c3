#include <limits>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/attention_task.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/attention_cached.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// scores[h, j] = scale q_h . k_jh, four keys at a time, so that their sums are independent. Rows of scores are
// `stride_of_scores` apart.
template <typename T>
void cached_scores(T* scores, Dim stride_of_scores, const T* q, const T* keys, Dim stride, Dim count, Dim heads, Dim D,
                   T scale) {
  const Tag<T> d;
  for (Dim j = 0; j < count; j += 4) {
    const T* const k0 = keys + j * stride;
    const T* const k1 = j + 1 < count ? k0 + stride : k0;
    const T* const k2 = j + 2 < count ? k0 + 2 * stride : k0;
    const T* const k3 = j + 3 < count ? k0 + 3 * stride : k0;
    for (Dim h = 0; h < heads; ++h) {
      const Dim c = h * D;
      auto s0 = Zero(d), s1 = s0, s2 = s0, s3 = s0;
      for_each_vector(d, D, [&](auto part) HWY_ATTR {
        const auto a = part.load(q + c);
        s0 = MulAdd(a, part.load(k0 + c), s0);
        s1 = MulAdd(a, part.load(k1 + c), s1);
        s2 = MulAdd(a, part.load(k2 + c), s2);
        s3 = MulAdd(a, part.load(k3 + c), s3);
      });
      T* const s = scores + h * stride_of_scores + j;  // a row has room for a multiple of four
      s[0] = scale * sum_of_lanes(d, s0);
      s[1] = scale * sum_of_lanes(d, s1);
      s[2] = scale * sum_of_lanes(d, s2);
      s[3] = scale * sum_of_lanes(d, s3);
    }
  }
}

template <typename T>
void softmax_in_place(T* x, Dim n) {
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  const Tag<T> d;
  auto high = Set(d, kLowest);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { high = Max(high, part.load(x, kLowest)); });
  high = MaxOfLanes(d, high);
  auto total = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto e = Exp(d, Sub(part.load(x, kLowest), high));
    total = Add(total, e);
    part.store(e, x);
  });
  const auto factor = Set(d, T{1} / sum_of_lanes(d, total));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Mul(factor, part.load(x)), x); });
}

// y_h += sum_j p_hj v_jh over the keys [0, kCount). The caller passes a few keys at a time, so that their rows are read
// together.
template <int kCount, typename T>
HWY_INLINE void add_values(T* y, const T* p, Dim stride_of_p, const T* values, Dim stride, Dim heads, Dim D) {
  const Tag<T> d;
  for (Dim h = 0; h < heads; ++h) {
    for_each_vector(d, D, [&](auto part) HWY_ATTR {
      auto sum = part.load(y + h * D);
      for (int j = 0; j < kCount; ++j) {
        sum = MulAdd(Set(d, p[h * stride_of_p + j]), part.load(values + j * stride + h * D), sum);
      }
      part.store(sum, y + h * D);
    });
  }
}

// One new row and `heads` consecutive heads. `memory` has room for [heads, count rounded up to four].
template <typename T>
void cached_row(T* y, const T* q, const T* keys, const T* values, Dim stride, Dim count, Dim heads, Dim D, double scale,
                T* memory) {
  const Dim row = (count + 3) / 4 * 4;
  for (Dim c = 0; c < heads * D; ++c) y[c] = 0;
  cached_scores(memory, row, q, keys, stride, count, heads, D, static_cast<T>(scale));
  for (Dim h = 0; h < heads && count > 0; ++h) softmax_in_place(memory + h * row, count);
  Dim j = 0;
  for (; j + 8 <= count; j += 8) add_values<8>(y, memory + j, row, values + j * stride, stride, heads, D);
  for (; j < count; ++j) add_values<1>(y, memory + j, row, values + j * stride, stride, heads, D);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(cached_row);

namespace kernels {

static constexpr Dim kFewRows = 4;      // from about here on, packing a tile pays off
static constexpr Dim kCachedTasks = 8;  // pieces that the heads of a single sequence are divided into, if it has that
                                        // many

template <typename T>
void attention_cached(Matrix<T> y, Matrix<const T> q, std::span<const std::int32_t> queries,
                      std::span<const AttentionCache<T>> caches, Dim stride, Dim heads, double scale, bool causal) {
  const Dim B = static_cast<Dim>(caches.size()), D = q.cols / heads;
  if (B == 0) return;
  for (std::size_t b = 0; b < caches.size(); ++b) {
    const Dim pairs = seen_pairs(queries[b + 1] - queries[b], caches[b].count, causal);
    count_flop(4 * static_cast<double>(y.cols * pairs));
  }
  // Whole rows of the cache read fastest, so heads are divided only if there are too few sequences to be the tasks.
  const Dim wanted_groups = std::min(heads, (kCachedTasks + B - 1) / B);
  const Dim group = (heads + wanted_groups - 1) / wanted_groups, groups = (heads + group - 1) / group;
  const auto body = [&](Dim task) {
    const auto b = static_cast<std::size_t>(task / groups);
    const Dim head0 = task % groups * group, head1 = std::min(heads, head0 + group), first = head0 * D;
    const AttentionCache<T>& cache = caches[b];
    AttentionHead<T> at{.q = q.data + queries[b] * q.stride,
                        .k = cache.keys,
                        .v = cache.values,
                        .q_stride = q.stride,
                        .k_stride = stride,
                        .v_stride = stride,
                        .queries = queries[b + 1] - queries[b],
                        .keys = cache.count,
                        .D = D,
                        .causal = causal,
                        .scale = scale,
                        .dropout = {},
                        .place = 0,
                        .place_step = 0};
    T* const to = y.data + queries[b] * y.stride;
    if (at.queries > kFewRows) {
      for (Dim head = head0; head < head1; ++head) {
        AttentionHead<T> one = at;
        one.q += head * D;
        one.k += head * D;
        one.v += head * D;
        for (Dim row = 0; row < at.queries; row += kQueryChunk) {
          forward_head<T>(one, row, std::min(at.queries, row + kQueryChunk), to + head * D, y.stride, nullptr, 0);
        }
      }
      return;
    }
    T* const memory = task_memory<T>((head1 - head0) * (cache.count + 3));
    for (Dim i = 0; i < at.queries; ++i) {
      RAPT_DISPATCH(T, cached_row)
      (to + i * y.stride + first, at.q + i * q.stride + first, at.k + first, at.v + first, stride, at.seen(i),
       head1 - head0, D, scale, memory);
    }
  };
  parallel_for(B * groups, body, Schedule::kDynamic);
}
RAPT_INSTANTIATE(attention_cached);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
