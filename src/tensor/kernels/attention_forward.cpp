#include <limits>
#include <vector>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/attention_task.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/attention_forward.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"
#include "tensor/kernels/philox-inl.h"
#include "tensor/kernels/small_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

using kernels::AttentionHead;
using kernels::kKeyTile;
using kernels::kQueryTile;
using kernels::kScoresStride;

// Scratch memory of a task. The sums of up to kQueryChunk queries are kept across all tiles of keys.
template <typename E>
struct ForwardMemory {
  using T = Compute<E>;
  E *keys, *values;           // packed tiles
  T* scores;                  // of a tile
  E* probabilities;           // of a tile, in place of the scores if they have the same type
  T *output, *largest, *sum;  // [kQueryChunk, whole vectors of D], [kQueryChunk] each: the row's running softmax

  static Dim lay_out(ForwardMemory& m, std::byte* memory, Dim D) {
    const Dim columns = whole_vectors<E>(D);
    kernels::Arrays arrays{memory};
    m.keys = arrays.take<E>(kKeyTile * whole_terms<E>(D));
    m.values = arrays.take<E>(kKeyTile * columns);
    m.scores = arrays.take<T>(kQueryTile * kScoresStride);
    if constexpr (kTerms<E> == 1)
      m.probabilities = m.scores;
    else
      m.probabilities = arrays.take<E>(kQueryTile * kScoresStride);
    m.output = arrays.take<T>(kernels::kQueryChunk * columns);
    m.largest = arrays.take<T>(kernels::kQueryChunk);
    m.sum = arrays.take<T>(kernels::kQueryChunk);
    return arrays.used;
  }
};

// Turns a row of scores of the keys [tile, tile + n) into unnormalised probabilities, and updates the row's running
// maximum, sum and output.
template <typename E, typename T = Compute<E>>
HWY_INLINE void softmax_row(const AttentionHead<E>& at, Dim row, Dim tile, Dim n, Dim beyond, const T* scores,
                            E* probabilities, T* output, Dim columns, T& largest, T& sum) {
  const Tag<E> d;
  auto high = Set(d, largest);
  const auto before = high;
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  const T scale = static_cast<T>(at.scale);
  const auto score = [&](auto part) HWY_ATTR {
    if constexpr (kernels::kScalesKeys<E>)
      return part.load(scores, kLowest);
    else
      return Mul(Set(d, scale), part.load(scores, scale < 0 ? -kLowest : kLowest));
  };
  for_each_vector(d, n, [&](auto part) HWY_ATTR { high = Max(high, score(part)); });
  high = MaxOfLanes(d, high);
  auto total = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto e = Exp(d, Sub(score(part), high));
    total = Add(total, e);
    part.store(e, probabilities);
  });
  for (Dim j = n; j < beyond; ++j) probabilities[j] = E{};
  if (tile > 0) {
    const auto fade = Exp(d, Sub(before, high));
    sum *= GetLane(fade);
    for (Dim c = 0; c < columns; c += lanes_of<T>()) StoreU(Mul(fade, LoadU(d, output + c)), d, output + c);
  }
  sum += sum_of_lanes(d, total);
  largest = GetLane(high);
  if (at.dropout.threshold > 0) {
    HWY_ALIGN std::uint16_t bits[kKeyTile + kPhiloxSlack];
    philox_bits16(bits, (n + 7) / 8, static_cast<std::uint32_t>(tile / 8),
                  at.place + static_cast<std::uint64_t>(row) * at.place_step, 1, at.dropout.key.key);
    for_each_vector(d, n, [&](auto part) HWY_ATTR {
      const auto keep = keep_mask(d, bits + part.at, at.dropout.threshold);
      part.store(IfThenElseZero(keep, part.load(probabilities)), probabilities);
    });
  }
}

// Processes the queries [row, row + rows), at most kQueryTile of them, with the keys [tile, tile + n).
template <typename E, typename T = Compute<E>>
void forward_tile(const AttentionHead<E>& at, Dim row, Dim rows, Dim tile, Dim n, const Panels<E>& keys,
                  const Panels<E>& values, T* scores, E* probabilities, T* output, T* largest, T* sum) {
  const auto seen = [&](Dim r) HWY_ATTR {
    const Dim visible = at.seen(row + r) - tile;
    return visible < 0 ? Dim{0} : visible < n ? visible : n;
  };
  small_product<false>(scores, kScoresStride, rows, at.q + row * at.q_stride, at.q_stride, keys, false,
                       [&](Dim, Dim last) HWY_ATTR {
                         return Part{0, at.D, seen(last - 1)};
                       });
  const Dim columns = values.columns;
  for (Dim r = 0; r < rows; ++r) {
    // Later rows see more keys, and their product covers this row's zeros.
    const Dim visible = seen(r), beyond = visible + reach<E>() < n ? visible + reach<E>() : n;
    E* const p = probabilities + r * kScoresStride;
    if (visible == 0) {
      for (Dim j = 0; j < beyond; ++j) p[j] = E{};
      continue;
    }
    softmax_row(at, row + r, tile, visible, beyond, scores + r * kScoresStride, p, output + r * columns, columns,
                largest[r], sum[r]);
  }
  small_product<false>(output, columns, rows, probabilities, kScoresStride, values, tile > 0,
                       [&](Dim, Dim last) HWY_ATTR {
                         return Part{0, seen(last - 1), columns};
                       });
}

// Writes y = output / sum and the log-sum-exp of the rows [0, rows).
template <typename E, typename T = Compute<E>>
void finish_rows(const AttentionHead<E>& at, Dim rows, const ForwardMemory<E>& m, T* y, Dim y_stride, T* lse,
                 Dim lse_stride) {
  const Tag<T> d;
  const Dim columns = whole_vectors<T>(at.D);
  for (Dim r = 0; r < rows; ++r) {
    const T factor = m.sum[r] > 0 ? static_cast<T>(at.dropout.scale) / m.sum[r] : T{0};
    const T* const output = m.output + r * columns;
    T* const to = y + r * y_stride;
    for_each_vector(d, at.D, [&](auto part) HWY_ATTR { part.store(Mul(Set(d, factor), part.load(output)), to); });
  }
  if (lse == nullptr) return;
  for_each_vector(d, rows, [&](auto part) HWY_ATTR {
    part.store(Add(part.load(m.largest), Log(d, part.load(m.sum, T{1}))), m.sum);
  });
  for (Dim r = 0; r < rows; ++r) lse[r * lse_stride] = m.sum[r];
}

template <typename E>
Dim forward_memory(Dim D) {
  ForwardMemory<E> m{};
  return ForwardMemory<E>::lay_out(m, nullptr, D);
}

// Queries [begin, end), at most kQueryChunk of them. y and lse point to the first row of the sequence.
template <typename E>
void forward_queries(const AttentionHead<E>& at, Dim begin, Dim end, Compute<E>* y, Dim y_stride, Compute<E>* lse,
                     Dim lse_stride, std::byte* memory) {
  ForwardMemory<E> m{};
  ForwardMemory<E>::lay_out(m, memory, at.D);
  const Dim columns = whole_vectors<E>(at.D), rows = end - begin;
  for (Dim r = 0; r < rows; ++r) {
    m.largest[r] = -std::numeric_limits<Compute<E>>::infinity();
    m.sum[r] = 0;
  }
  const Dim visible = at.seen(end - 1);
  if (visible == 0) {
    for (Dim i = 0; i < rows * columns; ++i) m.output[i] = 0;
  }
  for (Dim tile = 0; tile < visible; tile += kKeyTile) {
    const Dim n = visible - tile < kKeyTile ? visible - tile : kKeyTile;
    const auto keys = pack_transposed(m.keys, at.k + tile * at.k_stride, at.k_stride, n, at.D, key_scale(at));
    const auto values = pack(m.values, at.v + tile * at.v_stride, at.v_stride, n, at.D);
    for (Dim r = 0; r < rows; r += kQueryTile) {
      const Dim count = rows - r < kQueryTile ? rows - r : kQueryTile;
      if (tile > 0 && at.seen(begin + r + count - 1) <= tile) continue;
      forward_tile(at, begin + r, count, tile, n, keys, values, m.scores, m.probabilities, m.output + r * columns,
                   m.largest + r, m.sum + r);
    }
  }
  finish_rows(at, rows, m, y + begin * y_stride, y_stride, lse == nullptr ? nullptr : lse + begin * lse_stride,
              lse_stride);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(forward_memory);
RAPT_EXPORT(forward_queries);

namespace kernels {

static std::vector<AttentionTask> forward_tasks(const AttentionProblem& problem, Dim D) {
  std::vector<AttentionTask> tasks;
  for (std::size_t b = 0; b + 1 < problem.queries.size(); ++b) {
    const Dim T = problem.queries[b + 1] - problem.queries[b], S = problem.keys[b + 1] - problem.keys[b];
    const Dim heads = heads_per_task(problem, std::min(T, kQueryChunk), S, D);
    for (Dim head = 0; head < problem.heads; head += heads) {
      for (Dim row = 0; row < T; row += kQueryChunk) {
        tasks.push_back(
            {static_cast<Dim>(b), head, std::min(problem.heads, head + heads), row, std::min(T, row + kQueryChunk)});
      }
    }
  }
  return tasks;
}

template <typename E>
void forward_head(const AttentionHead<E>& at, Dim begin, Dim end, Compute<E>* y, Dim y_stride, Compute<E>* log_sum_exp,
                  Dim lse_stride) {
  RAPT_DISPATCH(E, forward_queries)
  (at, begin, end, y, y_stride, log_sum_exp, lse_stride,
   task_memory<std::byte>(RAPT_DISPATCH(E, forward_memory)(at.D)));
}
RAPT_INSTANTIATE(forward_head);

template <typename E>
void attention_forward(Matrix<Compute<E>> y, Compute<E>* log_sum_exp, Matrix<const E> q, Matrix<const E> k,
                       Matrix<const E> v, const AttentionProblem& problem) {
  count_flop(4 * static_cast<double>(y.cols * seen_pairs(problem)));
  const Dim H = problem.heads, D = y.cols / H;
  const std::vector<AttentionTask> tasks = forward_tasks(problem, D);
  parallel_for(
      static_cast<Dim>(tasks.size()),
      [&](Dim i) {
        const AttentionTask& task = tasks[static_cast<std::size_t>(i)];
        const Dim row = problem.queries[static_cast<std::size_t>(task.sequence)];
        for (Dim head = task.head0; head < task.head1; ++head) {
          forward_head<E>(head_of(problem, q, k, v, task.sequence, head), task.begin, task.end,
                          y.data + row * y.stride + head * D, y.stride,
                          log_sum_exp == nullptr ? nullptr : log_sum_exp + row * H + head, H);
        }
      },
      Schedule::kDynamic);
}
RAPT_INSTANTIATE(attention_forward);
RAPT_INSTANTIATE_ONE(Bf16, , attention_forward)

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
