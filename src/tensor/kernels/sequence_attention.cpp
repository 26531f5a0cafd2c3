#include "tensor/kernels/sequence_attention.h"

#include <algorithm>
#include <cmath>

#include "tensor/parallel.h"
#include "tensor/tensor.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/sequence_attention.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
T dot(const T* a, const T* b, Dim n) {
  const Tag<T> d;
  auto sum = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { sum = MulAdd(part.load(a), part.load(b), sum); });
  return sum_of_lanes(d, sum);
}

// y += factor x
template <typename T>
void add_scaled(T* y, const T* x, T factor, Dim n) {
  const Tag<T> d;
  const auto f = Set(d, factor);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(MulAdd(f, part.load(x), part.load(y)), y); });
}

template <typename T>
T additive_score(const T* score, const T* key, const T* query, Dim C) {
  const Tag<T> d;
  auto sum = Zero(d);
  for_each_vector(d, C, [&](auto part) HWY_ATTR {
    sum = MulAdd(part.load(score), Tanh(d, Add(part.load(key), part.load(query))), sum);
  });
  return sum_of_lanes(d, sum);
}

template <typename T>
void softmax_in_place(T* x, Dim n) {
  const Tag<T> d;
  constexpr auto kLowest = -static_cast<T>(INFINITY);
  auto highest = Set(d, kLowest);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { highest = Max(highest, part.load(x, kLowest)); });
  const auto top = Set(d, max_of_lanes(d, highest));
  auto sum = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto e = Exp(d, Sub(part.load(x, kLowest), top));
    sum = Add(sum, e);
    part.store(e, x);
  });
  const auto factor = Set(d, 1 / sum_of_lanes(d, sum));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Mul(part.load(x), factor), x); });
}

template <typename T>
void attend(T* contexts, T* weights, const T* queries, const kernels::SequenceAttention<T>& over,
            const kernels::AttentionGroup& group) {
  const Tag<T> d;
  const Dim C = over.C, M = over.M, S = group.keys;
  const T *const keys = over.keys + group.first_key * C, *const memory = over.memory + group.first_key * M;
  for (Dim q = 0; q < group.queries; ++q) {
    const T* const query = queries + (group.first_query + q) * C;
    T *const a = weights + group.weights + q * S, *const context = contexts + (group.first_query + q) * M;
    for (Dim s = 0; s < S; ++s) {
      a[s] = over.score != nullptr ? additive_score(over.score, keys + s * C, query, C) : dot(keys + s * C, query, C);
    }
    softmax_in_place(a, S);
    for_each_vector(d, M, [&](auto part) HWY_ATTR { part.store(Zero(d), context); });
    for (Dim s = 0; s < S; ++s) add_scaled(context, memory + s * M, a[s], M);
  }
}

// The share of one pair with an additive score, for the gradient `de` of its score.
template <typename T>
void additive_backward(T* dquery, T* dkey, T* dscore, const T* score, const T* key, const T* query, T de, Dim C) {
  const Tag<T> d;
  const auto factor = Set(d, de);
  for_each_vector(d, C, [&](auto part) HWY_ATTR {
    const auto t = Tanh(d, Add(part.load(key), part.load(query)));
    part.store(MulAdd(factor, t, part.load(dscore)), dscore);
    const auto g = Mul(Mul(factor, part.load(score)), NegMulAdd(t, t, Set(d, TFromD<Tag<T>>{1})));
    part.store(Add(part.load(dquery), g), dquery);
    part.store(Add(part.load(dkey), g), dkey);
  });
}

template <typename T>
void attend_backward(T* dqueries, T* dkeys, T* dscores, const T* dcontexts, const T* weights, const T* queries,
                     const kernels::SequenceAttention<T>& over, const kernels::AttentionGroup& group) {
  const Tag<T> d;
  const Dim C = over.C, M = over.M, S = group.keys;
  for (Dim q = 0; q < group.queries; ++q) {
    const Dim n = group.first_query + q;
    const T *const query = queries + n * C, *const dcontext = dcontexts + n * M;
    const T *const a = weights + group.weights + q * S, *const memory = over.memory + group.first_key * M;
    T* const dquery = dqueries + n * C;
    for_each_vector(d, C, [&](auto part) HWY_ATTR { part.store(Zero(d), dquery); });
    T mean = 0;  // sum_s a_s da_s, which softmax subtracts
    for (Dim s = 0; s < S; ++s) mean += a[s] * dot(memory + s * M, dcontext, M);
    for (Dim s = 0; s < S; ++s) {
      const Dim row = (group.first_key + s) * C;
      const T de = a[s] * (dot(memory + s * M, dcontext, M) - mean);
      if (over.score != nullptr) {
        additive_backward(dquery, dkeys + row, dscores + group.sequence * C, over.score, over.keys + row, query, de, C);
      } else {
        add_scaled(dquery, over.keys + row, de, C);
        add_scaled(dkeys + row, query, de, C);
      }
    }
  }
}

template <typename T>
void memory_backward(T* dmemory, Dim M, const T* dcontexts, const T* weights, const kernels::AttentionGroup& group) {
  for (Dim s = 0; s < group.keys; ++s) {
    for (Dim q = 0; q < group.queries; ++q) {
      add_scaled(dmemory + (group.first_key + s) * M, dcontexts + (group.first_query + q) * M,
                 weights[group.weights + q * group.keys + s], M);
    }
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(attend);
RAPT_EXPORT(attend_backward);
RAPT_EXPORT(memory_backward);

namespace kernels {

// The number of pairs of a query and a key.
static Dim pairs_of(std::span<const AttentionGroup> groups) {
  Dim pairs = 0;
  for (const AttentionGroup& group : groups) pairs += group.queries * group.keys;
  return pairs;
}

// Calls body(group) for each, in pieces with enough work for a thread.
template <typename F>
static void for_each_group(std::span<const AttentionGroup> groups, Dim width, const F& body) {
  constexpr Dim kElements = 65536;
  const auto count = static_cast<Dim>(groups.size());
  const Dim piece = count * kElements / std::max<Dim>(1, pairs_of(groups) * width);
  parallel_blocks(count, std::clamp<Dim>(piece, 1, std::max<Dim>(1, count)), [&](Dim begin, Dim end) {
    for (Dim g = begin; g < end; ++g) body(groups[static_cast<std::size_t>(g)]);
  });
}

template <typename T>
void sequence_attention_forward(T* contexts, T* weights, const T* queries, const SequenceAttention<T>& over,
                                std::span<const AttentionGroup> groups) {
  count_flop(2 * static_cast<double>(pairs_of(groups) * (over.C + over.M)));
  for_each_group(groups, over.C + over.M, [&](const AttentionGroup& group) {
    RAPT_DISPATCH(T, attend)(contexts, weights, queries, over, group);
  });
}
RAPT_INSTANTIATE(sequence_attention_forward);

template <typename T>
void sequence_attention_backward(T* dqueries, T* dkeys, T* dscores, const T* dcontexts, const T* weights,
                                 const T* queries, const SequenceAttention<T>& over,
                                 std::span<const AttentionGroup> groups) {
  count_flop(4 * static_cast<double>(pairs_of(groups) * (over.C + over.M)));
  for_each_group(groups, over.C + over.M, [&](const AttentionGroup& group) {
    RAPT_DISPATCH(T, attend_backward)(dqueries, dkeys, dscores, dcontexts, weights, queries, over, group);
  });
}
RAPT_INSTANTIATE(sequence_attention_backward);

template <typename T>
void sequence_attention_memory_backward(T* dmemory, Dim M, const T* dcontexts, const T* weights,
                                        std::span<const AttentionGroup> groups) {
  count_flop(2 * static_cast<double>(pairs_of(groups) * M));
  for_each_group(groups, M, [&](const AttentionGroup& group) {
    RAPT_DISPATCH(T, memory_backward)(dmemory, M, dcontexts, weights, group);
  });
}
RAPT_INSTANTIATE(sequence_attention_memory_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
