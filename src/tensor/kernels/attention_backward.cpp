#include <vector>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/attention_task.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/attention_backward.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"
#include "tensor/kernels/philox-inl.h"
#include "tensor/kernels/small_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

using kernels::AttentionHead;
using kernels::AttentionHeadGradients;
using kernels::kKeyTile;
using kernels::kQueryTile;
using kernels::kScoresStride;

// Scratch memory of a task.
template <typename T>
struct BackwardMemory {
  T *keys_across, *values_across, *keys;  // a tile of keys, packed: transposed and scaled; transposed; not transposed
  T *queries, *dy;                        // a tile of queries, packed
  T *probabilities, *dscores;             // of a tile
  T *dk, *dv;                             // of a tile of keys
  T *dq, *delta;                          // of all queries of the task

  static Dim lay_out(BackwardMemory& m, T* memory, Dim D, Dim rows) {
    const Dim columns = whole_vectors<T>(D);
    Dim used = 0;
    const auto take = [&](Dim n) HWY_ATTR {
      T* const p = memory + used;
      used += whole_vectors<T>(n);
      return p;
    };
    m.keys_across = take(kKeyTile * D);
    m.values_across = take(kKeyTile * D);
    m.keys = take(kKeyTile * columns);
    m.queries = take(kQueryTile * columns);
    m.dy = take(kQueryTile * columns);
    m.probabilities = take(kQueryTile * kScoresStride);
    m.dscores = take(kQueryTile * kScoresStride);
    m.dk = take(kKeyTile * columns);
    m.dv = take(kKeyTile * columns);
    m.dq = take(rows * columns);
    m.delta = take(rows);
    return used;
  }
};

// delta_i = dy_i . y_i of the queries [begin, end).
template <typename T>
void row_deltas(const AttentionHead<T>& at, const AttentionHeadGradients<T>& d, Dim begin, Dim end, T* delta) {
  const Tag<T> tag;
  for (Dim i = begin; i < end; ++i) {
    const T* const dy = d.dy + i * d.dy_stride;
    const T* const y = d.y + i * d.y_stride;
    auto sum = Zero(tag);
    for_each_vector(tag, at.D, [&](auto part) HWY_ATTR { sum = MulAdd(part.load(dy), part.load(y), sum); });
    delta[i - begin] = sum_of_lanes(tag, sum);
  }
}

// Computes, from a row's scores s and dy . v, the dropped probabilities (in place of s) and ds (in place of dy . v).
template <typename T>
HWY_INLINE void backward_row(const AttentionHead<T>& at, Dim row, Dim tile, Dim n, Dim beyond, T log_sum_exp, T delta,
                             T* p, T* ds) {
  const Tag<T> d;
  const auto lse = Set(d, log_sum_exp), mean = Set(d, delta), scale = Set(d, static_cast<T>(at.scale));
  if (at.dropout.threshold == 0) {
    for_each_vector(d, n, [&](auto part) HWY_ATTR {
      const auto probability = Exp(d, Sub(part.load(p), lse));
      part.store(probability, p);
      part.store(Mul(Mul(scale, probability), Sub(part.load(ds), mean)), ds);
    });
  } else {
    HWY_ALIGN std::uint16_t bits[kKeyTile + kPhiloxSlack];
    philox_bits16(bits, (n + 7) / 8, static_cast<std::uint32_t>(tile / 8),
                  at.place + static_cast<std::uint64_t>(row) * at.place_step, 1, at.dropout.key.key);
    const auto keep = Set(d, static_cast<T>(at.dropout.scale));
    for_each_vector(d, n, [&](auto part) HWY_ATTR {
      const auto kept = IfThenElseZero(keep_mask(d, bits + part.at, at.dropout.threshold), keep);
      const auto probability = Exp(d, Sub(part.load(p), lse));
      part.store(Mul(kept, probability), p);
      part.store(Mul(Mul(scale, probability), MulSub(kept, part.load(ds), mean)), ds);
    });
  }
  for (Dim j = n; j < beyond; ++j) p[j] = ds[j] = 0;
}

// Processes the queries [row, row + rows), at most kQueryTile of them, with the keys [tile, tile + n), which are packed
// in `m`.
template <typename T>
void backward_tile(const AttentionHead<T>& at, const AttentionHeadGradients<T>& d, Dim row, Dim rows, Dim tile, Dim n,
                   const BackwardMemory<T>& m, const T* delta, T* dq) {
  const Dim columns = whole_vectors<T>(at.D);
  const auto seen = [&](Dim r) HWY_ATTR {
    const Dim visible = at.seen(row + r) - tile;
    return visible < 0 ? Dim{0} : visible < n ? visible : n;
  };
  const Panels<T> keys_across{m.keys_across, at.D, whole_vectors<T>(n)};
  const Panels<T> values_across{m.values_across, at.D, whole_vectors<T>(n)};
  const auto scores_part = [&](Dim, Dim last) HWY_ATTR { return Part{0, at.D, seen(last - 1)}; };
  const T* const dy = d.dy + row * d.dy_stride;
  const T* const q = at.q + row * at.q_stride;
  small_product<false>(m.probabilities, kScoresStride, rows, q, at.q_stride, keys_across, false, scores_part);
  small_product<false>(m.dscores, kScoresStride, rows, dy, d.dy_stride, values_across, false, scores_part);
  for (Dim r = 0; r < rows; ++r) {
    // Blocks of rows or of keys read up to kBlockRows - 1 keys further; these must be zero.
    const Dim visible = seen(r), beyond = visible + kBlockRows < n ? visible + kBlockRows : n;
    backward_row(at, row + r, tile, visible, beyond, d.log_sum_exp[(row + r) * d.lse_stride], delta[r],
                 m.probabilities + r * kScoresStride, m.dscores + r * kScoresStride);
  }
  if (d.dk != nullptr) {
    const auto queries = pack(m.queries, q, at.q_stride, rows, at.D);
    const auto dy_rows = pack(m.dy, dy, d.dy_stride, rows, at.D);
    const auto keys_part = [&](Dim first, Dim) HWY_ATTR {
      const Dim begin = at.first_seeing(tile + first) - row;
      return Part{begin < 0 ? 0 : begin < rows ? begin : rows, rows, columns};
    };
    small_product<true>(m.dv, columns, seen(rows - 1), m.probabilities, kScoresStride, dy_rows, true, keys_part);
    small_product<true>(m.dk, columns, seen(rows - 1), m.dscores, kScoresStride, queries, true, keys_part);
  }
  if (d.dq != nullptr) {
    small_product<false>(dq, columns, rows, m.dscores, kScoresStride, Panels<T>{m.keys, n, columns}, true,
                         [&](Dim, Dim last) HWY_ATTR {
                           return Part{0, seen(last - 1), columns};
                         });
  }
}

// Rows [0, rows) of a gradient.
template <typename T>
void write_rows(T* to, Dim stride, const T* from, Dim rows, Dim D, Write write) {
  const Tag<T> d;
  const Dim columns = whole_vectors<T>(D);
  for (Dim r = 0; r < rows; ++r) {
    for_each_vector(d, D,
                    [&](auto part) HWY_ATTR { part.write(part.load(from + r * columns), to + r * stride, write); });
  }
}

template <typename T>
void clear(T* x, Dim n) {
  const Tag<T> d;
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Zero(d), x); });
}

template <typename T>
Dim backward_memory(Dim D, Dim rows) {
  BackwardMemory<T> m{};
  return BackwardMemory<T>::lay_out(m, nullptr, D, rows);
}

// Gradients between the queries [query_begin, query_end) and the keys [key_begin, key_end). Writes dq of these queries
// and dk, dv of these keys. A caller that needs dq passes all keys; a caller that needs dk passes all queries.
template <typename T>
void backward_part(const AttentionHead<T>& at, const AttentionHeadGradients<T>& d, Dim query_begin, Dim query_end,
                   Dim key_begin, Dim key_end, T* memory) {
  const Dim columns = whole_vectors<T>(at.D), queries = query_end - query_begin;
  BackwardMemory<T> m{};
  BackwardMemory<T>::lay_out(m, memory, at.D, queries);
  row_deltas(at, d, query_begin, query_end, m.delta);
  if (d.dq != nullptr) clear(m.dq, queries * columns);
  for (Dim tile = key_begin; tile < key_end; tile += kKeyTile) {
    const Dim n = key_end - tile < kKeyTile ? key_end - tile : kKeyTile;
    if (d.dk == nullptr && at.seen(query_end - 1) <= tile) break;
    const T* const k = at.k + tile * at.k_stride;
    pack_transposed(m.keys_across, k, at.k_stride, n, at.D, static_cast<T>(at.scale));
    pack_transposed(m.values_across, at.v + tile * at.v_stride, at.v_stride, n, at.D, T{1});
    if (d.dq != nullptr) pack(m.keys, k, at.k_stride, n, at.D);
    if (d.dk != nullptr) {
      clear(m.dk, n * columns);
      clear(m.dv, n * columns);
    }
    for (Dim row = query_begin; row < query_end; row += kQueryTile) {
      const Dim rows = query_end - row < kQueryTile ? query_end - row : kQueryTile;
      if (at.seen(row + rows - 1) <= tile) continue;
      backward_tile(at, d, row, rows, tile, n, m, m.delta + (row - query_begin), m.dq + (row - query_begin) * columns);
    }
    if (d.dk == nullptr) continue;
    write_rows(d.dk + tile * d.dk_stride, d.dk_stride, m.dk, n, at.D, d.write_kv);
    write_rows(d.dv + tile * d.dv_stride, d.dv_stride, m.dv, n, at.D, d.write_kv);
  }
  if (d.dq != nullptr) write_rows(d.dq + query_begin * d.dq_stride, d.dq_stride, m.dq, queries, at.D, d.write_q);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(backward_memory);
RAPT_EXPORT(backward_part);

namespace kernels {

// With at least this many heads of sequences, heads are enough tasks for any number of threads.
static constexpr Dim kManyHeads = 8;
// Queries or keys per task if there are fewer heads.
static constexpr Dim kSplit = 2 * kKeyTile;

// Which gradients a task computes. One sweep over the tiles gives all of them. If there are too few heads to be the
// tasks, two sweeps give dq by queries and dk, dv by keys, at 7/5 of the work and with the same bits.
struct BackwardTask : AttentionTask {
  bool for_queries, for_keys;
};

static std::vector<BackwardTask> backward_tasks(const AttentionProblem& problem, Dim D) {
  std::vector<BackwardTask> tasks;
  const Dim B = static_cast<Dim>(problem.queries.size()) - 1;
  for (Dim sequence = 0; sequence < B; ++sequence) {
    const auto b = static_cast<std::size_t>(sequence);
    const Dim T = problem.queries[b + 1] - problem.queries[b], S = problem.keys[b + 1] - problem.keys[b];
    const bool split = B * problem.heads < kManyHeads && std::max(T, S) > kSplit;
    const Dim heads = split ? 1 : heads_per_task(problem, T, S, D);
    for (Dim head = 0; head < problem.heads; head += heads) {
      const Dim head1 = std::min(problem.heads, head + heads);
      if (!split) {
        tasks.push_back({{sequence, head, head1, 0, 0}, true, true});
        continue;
      }
      for (Dim row = 0; row < T; row += kSplit) {
        tasks.push_back({{sequence, head, head1, row, std::min(T, row + kSplit)}, true, false});
      }
      for (Dim key = 0; key < S; key += kSplit) {
        tasks.push_back({{sequence, head, head1, key, std::min(S, key + kSplit)}, false, true});
      }
    }
  }
  return tasks;
}

template <typename T>
static void run_task(const BackwardTask& task, Dim head, const AttentionGradients<T>& d, Matrix<const T> dy,
                     Matrix<const T> y, const T* log_sum_exp, Matrix<const T> q, Matrix<const T> k, Matrix<const T> v,
                     const AttentionProblem& problem) {
  const auto b = static_cast<std::size_t>(task.sequence);
  const AttentionHead<T> at = head_of(problem, q, k, v, task.sequence, head);
  const bool want_q = task.for_queries && d.dq.data != nullptr, want_kv = task.for_keys && d.dk.data != nullptr;
  if (!want_q && !want_kv) return;
  const Dim row = problem.queries[b], key = problem.keys[b], column = head * at.D;
  const auto place = [&](Matrix<T> x, Dim first_row, bool wanted) {
    return wanted ? x.data + first_row * x.stride + column : nullptr;
  };
  const AttentionHeadGradients<T> gradients{.dy = dy.data + row * dy.stride + column,
                                            .y = y.data + row * y.stride + column,
                                            .log_sum_exp = log_sum_exp + row * problem.heads + head,
                                            .dy_stride = dy.stride,
                                            .y_stride = y.stride,
                                            .lse_stride = problem.heads,
                                            .dq = place(d.dq, row, want_q),
                                            .dk = place(d.dk, key, want_kv),
                                            .dv = place(d.dv, key, want_kv),
                                            .dq_stride = d.dq.stride,
                                            .dk_stride = d.dk.stride,
                                            .dv_stride = d.dv.stride,
                                            .write_q = d.write_q,
                                            .write_kv = d.write_kv};
  const bool some_queries = !task.for_keys, some_keys = !task.for_queries;
  const Dim query0 = some_queries ? task.begin : 0, query1 = some_queries ? task.end : at.queries;
  const Dim key0 = some_keys ? task.begin : 0, key1 = some_keys ? task.end : at.keys;
  RAPT_DISPATCH(T, backward_part)
  (at, gradients, query0, query1, key0, key1, task_memory<T>(RAPT_DISPATCH(T, backward_memory)(at.D, query1 - query0)));
}

template <typename T>
void attention_backward(const AttentionGradients<T>& d, Matrix<const T> dy, Matrix<const T> y, const T* log_sum_exp,
                        Matrix<const T> q, Matrix<const T> k, Matrix<const T> v, const AttentionProblem& problem) {
  count_flop(10 * static_cast<double>(y.cols * seen_pairs(problem)));
  const std::vector<BackwardTask> tasks = backward_tasks(problem, y.cols / problem.heads);
  parallel_for(
      static_cast<Dim>(tasks.size()),
      [&](Dim i) {
        const BackwardTask& task = tasks[static_cast<std::size_t>(i)];
        for (Dim head = task.head0; head < task.head1; ++head) {
          run_task(task, head, d, dy, y, log_sum_exp, q, k, v, problem);
        }
      },
      Schedule::kDynamic);
}
RAPT_INSTANTIATE(attention_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
