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
template <typename T>
struct ForwardMemory {
  T *keys, *values, *scores;  // packed tiles and the scores of a tile
  T *output, *largest, *sum;  // [kQueryChunk, whole vectors of D], [kQueryChunk] each: the row's running softmax
  static Dim size(Dim D) {
    const Dim columns = whole_vectors<T>(D);
    return kKeyTile * D + kKeyTile * columns + kQueryTile * kScoresStride + kernels::kQueryChunk * (columns + 2);
  }
  static ForwardMemory in(T* memory, Dim D) {
    const Dim columns = whole_vectors<T>(D);
    ForwardMemory m{};
    m.keys = memory;
    m.values = m.keys + kKeyTile * D;
    m.scores = m.values + kKeyTile * columns;
    m.output = m.scores + kQueryTile * kScoresStride;
    m.largest = m.output + kernels::kQueryChunk * columns;
    m.sum = m.largest + kernels::kQueryChunk;
    return m;
  }
};

// Turns a row of scores of the keys [tile, tile + n) into unnormalised probabilities, and updates the row's running
// maximum, sum and output.
template <typename T>
HWY_INLINE void softmax_row(const AttentionHead<T>& at, Dim row, Dim tile, Dim n, Dim beyond, T* scores, T* output,
                            Dim columns, T& largest, T& sum) {
  const Tag<T> d;
  auto high = Set(d, largest);
  const auto before = high;
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  for_each_vector(d, n, [&](auto part) HWY_ATTR { high = Max(high, part.load(scores, kLowest)); });
  high = MaxOfLanes(d, high);
  auto total = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto e = Exp(d, Sub(part.load(scores, kLowest), high));
    total = Add(total, e);
    part.store(e, scores);
  });
  for (Dim j = n; j < beyond; ++j) scores[j] = 0;
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
      part.store(IfThenElseZero(keep_mask(d, bits + part.at, at.dropout.threshold), part.load(scores)), scores);
    });
  }
}

// Processes the queries [row, row + rows), at most kQueryTile of them, with the keys [tile, tile + n).
template <typename T>
void forward_tile(const AttentionHead<T>& at, Dim row, Dim rows, Dim tile, Dim n, const Panels<T>& keys,
                  const Panels<T>& values, T* scores, T* output, T* largest, T* sum) {
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
    // Up to kBlockRows - 1 later rows see more keys, and their product covers this row's zeros.
    const Dim visible = seen(r), beyond = visible + kBlockRows < n ? visible + kBlockRows : n;
    T* const s = scores + r * kScoresStride;
    if (visible == 0) {
      for (Dim j = 0; j < beyond; ++j) s[j] = 0;
      continue;
    }
    softmax_row(at, row + r, tile, visible, beyond, s, output + r * columns, columns, largest[r], sum[r]);
  }
  small_product<false>(output, columns, rows, scores, kScoresStride, values, tile > 0, [&](Dim, Dim last) HWY_ATTR {
    return Part{0, seen(last - 1), columns};
  });
}

// Writes y = output / sum and the log-sum-exp of the rows [0, rows).
template <typename T>
void finish_rows(const AttentionHead<T>& at, Dim rows, const ForwardMemory<T>& m, T* y, Dim y_stride, T* lse,
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

template <typename T>
Dim forward_memory(Dim D) {
  return ForwardMemory<T>::size(D);
}

// Queries [begin, end), at most kQueryChunk of them. y and lse point to the first row of the sequence.
template <typename T>
void forward_queries(const AttentionHead<T>& at, Dim begin, Dim end, T* y, Dim y_stride, T* lse, Dim lse_stride,
                     T* memory) {
  const ForwardMemory<T> m = ForwardMemory<T>::in(memory, at.D);
  const Dim columns = whole_vectors<T>(at.D), rows = end - begin;
  for (Dim r = 0; r < rows; ++r) {
    m.largest[r] = -std::numeric_limits<T>::infinity();
    m.sum[r] = 0;
  }
  const Dim visible = at.seen(end - 1);
  if (visible == 0) {
    for (Dim i = 0; i < rows * columns; ++i) m.output[i] = 0;
  }
  for (Dim tile = 0; tile < visible; tile += kKeyTile) {
    const Dim n = visible - tile < kKeyTile ? visible - tile : kKeyTile;
    const auto keys =
        pack_transposed(m.keys, at.k + tile * at.k_stride, at.k_stride, n, at.D, static_cast<T>(at.scale));
    const auto values = pack(m.values, at.v + tile * at.v_stride, at.v_stride, n, at.D);
    for (Dim r = 0; r < rows; r += kQueryTile) {
      const Dim count = rows - r < kQueryTile ? rows - r : kQueryTile;
      if (tile > 0 && at.seen(begin + r + count - 1) <= tile) continue;
      forward_tile(at, begin + r, count, tile, n, keys, values, m.scores, m.output + r * columns, m.largest + r,
                   m.sum + r);
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

template <typename T>
void forward_head(const AttentionHead<T>& at, Dim begin, Dim end, T* y, Dim y_stride, T* log_sum_exp, Dim lse_stride) {
  RAPT_DISPATCH(T, forward_queries)
  (at, begin, end, y, y_stride, log_sum_exp, lse_stride, task_memory<T>(RAPT_DISPATCH(T, forward_memory)(at.D)));
}
RAPT_INSTANTIATE(forward_head);

template <typename T>
void attention_forward(Matrix<T> y, T* log_sum_exp, Matrix<const T> q, Matrix<const T> k, Matrix<const T> v,
                       const AttentionProblem& problem) {
  count_flop(4 * static_cast<double>(y.cols * seen_pairs(problem)));
  const Dim H = problem.heads, D = y.cols / H;
  const std::vector<AttentionTask> tasks = forward_tasks(problem, D);
  parallel_for(
      static_cast<Dim>(tasks.size()),
      [&](Dim i) {
        const AttentionTask& task = tasks[static_cast<std::size_t>(i)];
        const Dim row = problem.queries[static_cast<std::size_t>(task.sequence)];
        for (Dim head = task.head0; head < task.head1; ++head) {
          forward_head<T>(head_of(problem, q, k, v, task.sequence, head), task.begin, task.end,
                          y.data + row * y.stride + head * D, y.stride,
                          log_sum_exp == nullptr ? nullptr : log_sum_exp + row * H + head, H);
        }
      },
      Schedule::kDynamic);
}
RAPT_INSTANTIATE(attention_forward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
