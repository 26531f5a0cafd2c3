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
template <typename E>
struct BackwardMemory {
  using T = Compute<E>;
  E *keys_across, *values_across, *keys;  // a tile of keys, packed: transposed and scaled; transposed; not transposed
  E *queries, *dy;                        // a tile of queries, packed
  T *probabilities, *dscores;             // of a tile
  E *p_down, *ds_down;                    // the same as transposed operands: in place, or rows of bf16 interleaved
  E* ds;                                  // and as an operand that is not transposed
  T *dk, *dv;                             // of a tile of keys
  T *dq, *delta;                          // of all queries of the task

  static Dim lay_out(BackwardMemory& m, std::byte* memory, Dim D, Dim rows) {
    const Dim columns = whole_vectors<E>(D);
    kernels::Arrays arrays{memory};
    m.keys_across = arrays.take<E>(kKeyTile * whole_terms<E>(D));
    m.values_across = arrays.take<E>(kKeyTile * whole_terms<E>(D));
    m.keys = arrays.take<E>(kKeyTile * columns);
    m.queries = arrays.take<E>(kQueryTile * columns);
    m.dy = arrays.take<E>(kQueryTile * columns);
    m.probabilities = arrays.take<T>(kQueryTile * kScoresStride);
    m.dscores = arrays.take<T>(kQueryTile * kScoresStride);
    if constexpr (kTerms<E> == 1) {
      m.p_down = m.probabilities;
      m.ds_down = m.ds = m.dscores;
    } else {
      m.p_down = arrays.take<E>(kQueryTile * kScoresStride);
      m.ds_down = arrays.take<E>(kQueryTile * kScoresStride);
      m.ds = arrays.take<E>(kQueryTile * kScoresStride);
    }
    m.dk = arrays.take<T>(kKeyTile * columns);
    m.dv = arrays.take<T>(kKeyTile * columns);
    m.dq = arrays.take<T>(rows * columns);
    m.delta = arrays.take<T>(rows);
    return arrays.used;
  }
};

// delta_i = dy_i . y_i of the queries [begin, end).
template <typename E>
void row_deltas(const AttentionHead<E>& at, const AttentionHeadGradients<E>& d, Dim begin, Dim end, Compute<E>* delta) {
  const Tag<E> tag;
  for (Dim i = begin; i < end; ++i) {
    const E* const dy = d.dy + i * d.dy_stride;
    const Compute<E>* const y = d.y + i * d.y_stride;
    auto sum = Zero(tag);
    for_each_vector(tag, at.D, [&](auto part) HWY_ATTR { sum = MulAdd(part.load(dy), part.load(y), sum); });
    delta[i - begin] = sum_of_lanes(tag, sum);
  }
}

// Computes, from a row's scores s and dy . v, the dropped probabilities (in place of s) and ds (in place of dy . v).
template <typename E, typename T = Compute<E>>
HWY_INLINE void backward_row(const AttentionHead<E>& at, Dim row, Dim tile, Dim n, Dim beyond, T log_sum_exp, T delta,
                             T* p, T* ds) {
  const Tag<E> d;
  const auto lse = Set(d, log_sum_exp), mean = Set(d, delta), scale = Set(d, static_cast<T>(at.scale));
  const auto score = [&](auto part) HWY_ATTR {
    if constexpr (kernels::kScalesKeys<E>)
      return part.load(p);
    else
      return Mul(scale, part.load(p));
  };
  if (at.dropout.threshold == 0) {
    for_each_vector(d, n, [&](auto part) HWY_ATTR {
      const auto probability = Exp(d, Sub(score(part), lse));
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
      const auto probability = Exp(d, Sub(score(part), lse));
      part.store(Mul(kept, probability), p);
      part.store(Mul(Mul(scale, probability), MulSub(kept, part.load(ds), mean)), ds);
    });
  }
  for (Dim j = n; j < beyond; ++j) p[j] = ds[j] = 0;
}

// Rounds rows r (even) and r + 1 of a tile, if there is one, to operands in bf16: their first `n` columns. Whole
// vectors are written, which kScoresStride has room for.
inline void narrow_two_rows(const BackwardMemory<Bf16>& m, Dim r, bool is_last, Dim n) {
  const Tag<float> d;
  const Dim here = r * kScoresStride, next = here + (is_last ? 0 : kScoresStride);
  const auto odd = Set(Words(), is_last ? 0 : 0xFFFFFFFF);
  for (Dim j = 0; j < n; j += lanes_of<Bf16>()) {
    const auto p0 = LoadU(d, m.probabilities + here + j), p1 = LoadU(d, m.probabilities + next + j);
    const auto ds0 = LoadU(d, m.dscores + here + j), ds1 = LoadU(d, m.dscores + next + j);
    store_pairs(pairs_of(rounded(d, p0), And(odd, rounded(d, p1))), m.p_down + here + 2 * j);
    store_pairs(pairs_of(rounded(d, ds0), And(odd, rounded(d, ds1))), m.ds_down + here + 2 * j);
    store_lanes(d, ds0, m.ds + here + j);
    store_lanes(d, ds1, m.ds + next + j);
  }
}

// Processes the queries [row, row + rows), at most kQueryTile of them, with the keys [tile, tile + n), which are packed
// in `m`.
template <typename E, typename T = Compute<E>>
void backward_tile(const AttentionHead<E>& at, const AttentionHeadGradients<E>& d, Dim row, Dim rows, Dim tile, Dim n,
                   const BackwardMemory<E>& m, const T* delta, T* dq) {
  const Dim columns = whole_vectors<E>(at.D);
  const auto seen = [&](Dim r) HWY_ATTR {
    const Dim visible = at.seen(row + r) - tile;
    return visible < 0 ? Dim{0} : visible < n ? visible : n;
  };
  const Panels<E> keys_across{m.keys_across, whole_terms<E>(at.D), whole_vectors<E>(n)};
  const Panels<E> values_across{m.values_across, whole_terms<E>(at.D), whole_vectors<E>(n)};
  const auto scores_part = [&](Dim, Dim last) HWY_ATTR { return Part{0, at.D, seen(last - 1)}; };
  const E* const dy = d.dy + row * d.dy_stride;
  const E* const q = at.q + row * at.q_stride;
  small_product<false>(m.probabilities, kScoresStride, rows, q, at.q_stride, keys_across, false, scores_part);
  small_product<false>(m.dscores, kScoresStride, rows, dy, d.dy_stride, values_across, false, scores_part);
  for (Dim r = 0; r < rows; ++r) {
    // Blocks of rows or of keys read further; these keys must be zero.
    const Dim visible = seen(r), beyond = visible + reach<E>() < n ? visible + reach<E>() : n;
    backward_row(at, row + r, tile, visible, beyond, d.log_sum_exp[(row + r) * d.lse_stride], delta[r],
                 m.probabilities + r * kScoresStride, m.dscores + r * kScoresStride);
    if constexpr (kTerms<E> == 2) {
      if (r % 2 == 1 || r + 1 == rows) narrow_two_rows(m, r / 2 * 2, r % 2 == 0, beyond);
    }
  }
  if (d.dk != nullptr) {
    const auto queries = pack(m.queries, q, at.q_stride, rows, at.D);
    const auto dy_rows = pack(m.dy, dy, d.dy_stride, rows, at.D);
    const auto keys_part = [&](Dim first, Dim) HWY_ATTR {
      const Dim begin = at.first_seeing(tile + first) - row;
      return Part{begin < 0 ? 0 : begin < rows ? begin : rows, rows, columns};
    };
    small_product<true>(m.dv, columns, seen(rows - 1), m.p_down, kScoresStride, dy_rows, true, keys_part);
    small_product<true>(m.dk, columns, seen(rows - 1), m.ds_down, kScoresStride, queries, true, keys_part);
  }
  if (d.dq != nullptr) {
    const Panels<E> keys{m.keys, whole_terms<E>(n), columns};
    small_product<false>(dq, columns, rows, m.ds, kScoresStride, keys, true, [&](Dim, Dim last) HWY_ATTR {
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

template <typename E>
Dim backward_memory(Dim D, Dim rows) {
  BackwardMemory<E> m{};
  return BackwardMemory<E>::lay_out(m, nullptr, D, rows);
}

// Gradients between the queries [query_begin, query_end) and the keys [key_begin, key_end). Writes dq of these queries
// and dk, dv of these keys. A caller that needs dq passes all keys; a caller that needs dk passes all queries.
template <typename E>
void backward_part(const AttentionHead<E>& at, const AttentionHeadGradients<E>& d, Dim query_begin, Dim query_end,
                   Dim key_begin, Dim key_end, std::byte* memory) {
  const Dim columns = whole_vectors<E>(at.D), queries = query_end - query_begin;
  BackwardMemory<E> m{};
  BackwardMemory<E>::lay_out(m, memory, at.D, queries);
  row_deltas(at, d, query_begin, query_end, m.delta);
  if (d.dq != nullptr) clear(m.dq, queries * columns);
  for (Dim tile = key_begin; tile < key_end; tile += kKeyTile) {
    const Dim n = key_end - tile < kKeyTile ? key_end - tile : kKeyTile;
    if (d.dk == nullptr && at.seen(query_end - 1) <= tile) break;
    const E* const k = at.k + tile * at.k_stride;
    pack_transposed(m.keys_across, k, at.k_stride, n, at.D, key_scale(at));
    pack_transposed(m.values_across, at.v + tile * at.v_stride, at.v_stride, n, at.D, Compute<E>{1});
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

template <typename E, typename T = Compute<E>>
static void run_task(const BackwardTask& task, Dim head, const AttentionGradients<T>& d, Matrix<const E> dy,
                     Matrix<const T> y, const T* log_sum_exp, Matrix<const E> q, Matrix<const E> k, Matrix<const E> v,
                     const AttentionProblem& problem) {
  const auto b = static_cast<std::size_t>(task.sequence);
  const AttentionHead<E> at = head_of(problem, q, k, v, task.sequence, head);
  const bool want_q = task.for_queries && d.dq.data != nullptr, want_kv = task.for_keys && d.dk.data != nullptr;
  if (!want_q && !want_kv) return;
  const Dim row = problem.queries[b], key = problem.keys[b], column = head * at.D;
  const auto place = [&](Matrix<T> x, Dim first_row, bool wanted) {
    return wanted ? x.data + first_row * x.stride + column : nullptr;
  };
  const AttentionHeadGradients<E> gradients{.dy = dy.data + row * dy.stride + column,
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
  RAPT_DISPATCH(E, backward_part)
  (at, gradients, query0, query1, key0, key1,
   task_memory<std::byte>(RAPT_DISPATCH(E, backward_memory)(at.D, query1 - query0)));
}

template <typename E>
void attention_backward(const AttentionGradients<Compute<E>>& d, Matrix<const E> dy, Matrix<const Compute<E>> y,
                        const Compute<E>* log_sum_exp, Matrix<const E> q, Matrix<const E> k, Matrix<const E> v,
                        const AttentionProblem& problem) {
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
RAPT_INSTANTIATE_ONE(Bf16, , attention_backward)

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
