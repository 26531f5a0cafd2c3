#include <limits>
#include <vector>

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

// The keys or the values of a sequence, by position.
template <typename T>
struct Rows {
  const T* first;
  const std::int32_t* at;  // nullptr: row j is position j
  Dim stride;

  HWY_INLINE const T* operator[](Dim j) const { return first + (at != nullptr ? at[j] : j) * stride; }
};

// scores[h, j] = scale q_h . k_jh, four keys at a time, so that their sums are independent. Rows of scores are
// `stride_of_scores` apart.
template <typename T>
void cached_scores(T* scores, Dim stride_of_scores, const T* q, Rows<T> keys, Dim count, Dim heads, Dim D, T scale) {
  const Tag<T> d;
  for (Dim j = 0; j < count; j += 4) {
    const T* const k0 = keys[j];
    const T* const k1 = j + 1 < count ? keys[j + 1] : k0;
    const T* const k2 = j + 2 < count ? keys[j + 2] : k0;
    const T* const k3 = j + 3 < count ? keys[j + 3] : k0;
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

// y_h += sum_j p_hj v_jh over the keys [first, first + kCount). The caller passes a few keys at a time, so that their
// rows are read together. p points to the first of them.
template <int kCount, typename T>
HWY_INLINE void add_values(T* y, const T* p, Dim stride_of_p, Rows<T> values, Dim first, Dim heads, Dim D) {
  const Tag<T> d;
  const T* v[kCount];
  for (int j = 0; j < kCount; ++j) v[j] = values[first + j];
  for (Dim h = 0; h < heads; ++h) {
    for_each_vector(d, D, [&](auto part) HWY_ATTR {
      auto sum = part.load(y + h * D);
      for (int j = 0; j < kCount; ++j) {
        sum = MulAdd(Set(d, p[h * stride_of_p + j]), part.load(v[j] + h * D), sum);
      }
      part.store(sum, y + h * D);
    });
  }
}

// One new row and `heads` consecutive heads. `memory` has room for [heads, count rounded up to four]. Row `at[j]` of
// keys and values is position j.
template <typename T>
void cached_row(T* y, const T* q, const T* keys, const T* values, const std::int32_t* at, Dim stride, Dim count,
                Dim heads, Dim D, double scale, T* memory) {
  const Dim row = (count + 3) / 4 * 4;
  const Rows<T> k{keys, at, stride}, v{values, at, stride};
  for (Dim c = 0; c < heads * D; ++c) y[c] = 0;
  cached_scores(memory, row, q, k, count, heads, D, static_cast<T>(scale));
  for (Dim h = 0; h < heads && count > 0; ++h) softmax_in_place(memory + h * row, count);
  Dim j = 0;
  for (; j + 8 <= count; j += 8) add_values<8>(y, memory + j, row, v, j, heads, D);
  for (; j < count; ++j) add_values<1>(y, memory + j, row, v, j, heads, D);
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

// Whether the positions are consecutive rows, from the first one on.
static bool consecutive(std::span<const std::int32_t> rows) {
  for (std::size_t j = 1; j < rows.size(); ++j) {
    if (rows[j] != rows[0] + static_cast<std::int32_t>(j)) return false;
  }
  return true;
}

// Many new rows of one sequence, in tiles. These need consecutive rows, so others are copied.
template <typename T>
static void many_rows(const AttentionHead<T>& at, const AttentionCache<T>& cache, Dim heads, T* to, Dim to_stride) {
  AttentionHead<T> one = at;
  std::vector<T> copied_keys, copied_values;
  if (!cache.rows.empty() && consecutive(cache.rows)) {
    one.k += cache.rows[0] * at.k_stride;
    one.v += cache.rows[0] * at.v_stride;
  } else if (!cache.rows.empty()) {
    for (const std::int32_t row : cache.rows) {
      copied_keys.insert(copied_keys.end(), at.k + row * at.k_stride, at.k + row * at.k_stride + heads * at.D);
      copied_values.insert(copied_values.end(), at.v + row * at.v_stride, at.v + row * at.v_stride + heads * at.D);
    }
    one.k = copied_keys.data();
    one.v = copied_values.data();
    one.k_stride = one.v_stride = heads * at.D;
  }
  for (Dim head = 0; head < heads; ++head) {
    for (Dim row = 0; row < at.queries; row += kQueryChunk) {
      forward_head<T>(one, row, std::min(at.queries, row + kQueryChunk), to + head * at.D, to_stride, nullptr, 0);
    }
    one.q += at.D;
    one.k += at.D;
    one.v += at.D;
  }
}

template <typename T>
void attention_cached(Matrix<T> y, Matrix<const T> q, std::span<const std::int32_t> queries,
                      std::span<const AttentionCache<T>> caches, Dim stride, Dim heads, double scale, bool causal) {
  const Dim B = static_cast<Dim>(caches.size()), D = q.cols / heads;
  if (B == 0) return;
  bool wants_weights = false;
  for (std::size_t b = 0; b < caches.size(); ++b) {
    const Dim pairs = seen_pairs(queries[b + 1] - queries[b], caches[b].count, causal);
    count_flop(4 * static_cast<double>(y.cols * pairs));
    wants_weights = wants_weights || caches[b].weights != nullptr;
  }
  // Whole rows of the cache read fastest, so heads are divided only if there are too few sequences to be the tasks.
  const Dim wanted_groups = wants_weights ? 1 : std::min(heads, (kCachedTasks + B - 1) / B);
  const Dim group = (heads + wanted_groups - 1) / wanted_groups, groups = (heads + group - 1) / group;
  const auto body = [&](Dim task) {
    const auto b = static_cast<std::size_t>(task / groups);
    const Dim head0 = task % groups * group, head1 = std::min(heads, head0 + group), first = head0 * D;
    const AttentionCache<T>& cache = caches[b];
    const AttentionHead<T> at{.q = q.data + queries[b] * q.stride + first,
                              .k = cache.keys + first,
                              .v = cache.values + first,
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
    T* const to = y.data + queries[b] * y.stride + first;
    const std::int32_t* const rows = cache.rows.empty() ? nullptr : cache.rows.data();
    const bool many = at.queries > kFewRows;
    if (many) many_rows(at, cache, head1 - head0, to, y.stride);
    if (many && cache.weights == nullptr) return;
    const Dim row_of_scores = (cache.count + 3) / 4 * 4;
    T* const memory = task_memory<T>((head1 - head0) * (row_of_scores + D));
    T* const beside = memory + (head1 - head0) * row_of_scores;
    for (Dim i = many ? at.queries - 1 : 0; i < at.queries; ++i) {
      RAPT_DISPATCH(T, cached_row)
      (many ? beside : to + i * y.stride, at.q + i * q.stride, at.k, at.v, rows, stride, at.seen(i), head1 - head0, D,
       scale, memory);
    }
    if (cache.weights == nullptr || at.queries == 0) return;
    for (Dim j = 0; j < cache.count; ++j) {
      T sum = 0;
      for (Dim h = 0; h < heads; ++h) sum += memory[h * row_of_scores + j];
      cache.weights[j] = sum / static_cast<T>(heads);
    }
  };
  parallel_for(B * groups, body, Schedule::kDynamic);
}
RAPT_INSTANTIATE(attention_cached);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
