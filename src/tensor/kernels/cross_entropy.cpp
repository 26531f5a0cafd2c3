#include "tensor/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/parallel.h"
#include "tensor/tensor.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/cross_entropy.cpp"
#include "tensor/simd.h"

#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

constexpr Dim kSumBlock = 4096;  // elements summed in T before the sum continues in double

template <typename T>
T row_maximum(const T* z, Dim V) {
  const Tag<T> d;
  const T lowest = -std::numeric_limits<T>::infinity();
  auto a = Set(d, lowest);
  for_each_vector(d, V, [&](auto part) HWY_ATTR { a = Max(a, part.load(z, lowest)); });
  return max_of_lanes(d, a);
}

// The sum of vectors of z [V], each transformed by `f`. Unused lanes of the last vector load as `fill`.
template <typename T, typename F>
HWY_INLINE double sum_in_blocks(const T* z, Dim V, T fill, F f) {
  const Tag<T> d;
  double total = 0;
  for (Dim begin = 0; begin < V; begin += kSumBlock) {
    auto sum = Zero(d);
    for_each_vector(d, V - begin < kSumBlock ? V - begin : kSumBlock, [&](auto part) HWY_ATTR {
      part.at += begin;
      sum = Add(sum, f(part, part.load(z, fill)));
    });
    total += static_cast<double>(sum_of_lanes(d, sum));
  }
  return total;
}

// sum of exp(z - maximum); the terms are stored in `terms`, which may be z, unless that is null.
template <typename T>
double sum_of_exp(T* terms, const T* z, Dim V, T maximum) {
  const Tag<T> d;
  const auto shift = Set(d, maximum);
  return sum_in_blocks(z, V, -std::numeric_limits<T>::infinity(), [&](auto part, auto v) HWY_ATTR {
    const auto e = Exp(d, Sub(v, shift));
    if (terms != nullptr) part.store(e, terms);
    return e;
  });
}

// The loss of a row z, and its gradient if `gradient` is not null; it may overwrite z. Three passes over the row; the
// second and third find it in the core's own cache. `terms` [V] is scratch memory for a gradient, and may be z.
template <typename G>
double row_cost(G* gradient, Compute<G>* terms, const Compute<G>* z, std::int32_t target, Dim V,
                const kernels::CrossEntropyRule& rule) {
  using T = Compute<G>;
  const Tag<T> d;
  const T maximum = row_maximum(z, V);
  const double spread = rule.smoothing / static_cast<double>(V);
  double cost = (1 - rule.smoothing) * (static_cast<double>(maximum) - static_cast<double>(z[target]));
  if (rule.smoothing != 0) {
    const auto shift = Set(d, maximum);
    cost += spread * sum_in_blocks(z, V, maximum, [&](auto, auto v) HWY_ATTR { return Sub(shift, v); });
  }
  const double sum = sum_of_exp(terms, z, V, maximum);
  if (gradient != nullptr) {
    const auto factor = static_cast<T>(rule.scale / sum), rest = static_cast<T>(rule.scale * spread);
    const T of_target = terms[target] * factor - rest - static_cast<T>(rule.scale * (1 - rule.smoothing));
    for_each_vector(d, V, [&](auto part) HWY_ATTR {
      part.store(MulSub(part.load(terms), Set(d, factor), Set(d, rest)), gradient);
    });
    gradient[target] = static_cast<G>(of_target);
  }
  return rule.scale * (cost + std::log(sum));
}

template <typename T>
void costs(double* losses, const T* logits, const std::int32_t* targets, Dim M, Dim V,
           const kernels::CrossEntropyRule& rule) {
  for (Dim m = 0; m < M; ++m) losses[m] = row_cost<T>(nullptr, nullptr, logits + m * V, targets[m], V, rule);
}

// A narrow gradient is written over the logits, which then need not be written back to memory as f32: the terms are in
// scratch memory instead, which stays in the cache.
template <typename G>
void costs_and_gradients(double* losses, Compute<G>* logits, const std::int32_t* targets, Dim M, Dim V,
                         const kernels::CrossEntropyRule& rule) {
  constexpr bool kNarrow = sizeof(G) < sizeof(Compute<G>);
  Tensor scratch;
  if constexpr (kNarrow) scratch = Tensor::empty({V}, dtype_of<Compute<G>>);
  for (Dim m = 0; m < M; ++m) {
    Compute<G>* const z = logits + m * V;
    Compute<G>* terms = z;
    if constexpr (kNarrow) terms = scratch.data<Compute<G>>();
    losses[m] = row_cost<G>(reinterpret_cast<G*>(z), terms, z, targets[m], V, rule);
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

RAPT_EXPORT(costs);
RAPT_EXPORT(costs_and_gradients);

namespace kernels {

template <typename T>
void cross_entropy_forward(double* losses, const T* logits, const std::int32_t* targets, Dim M, Dim V,
                           const CrossEntropyRule& rule) {
  count_elements<T>(M * V);
  parallel_blocks(M, rows_per_block(V), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, costs)(losses + begin, logits + begin * V, targets + begin, end - begin, V, rule);
  });
}
RAPT_INSTANTIATE(cross_entropy_forward);

template <typename G>
Matrix<const G> cross_entropy_forward_backward(double* losses, Compute<G>* logits, const std::int32_t* targets, Dim M,
                                               Dim V, const CrossEntropyRule& rule) {
  count_elements<Compute<G>>(M * V);
  count_elements<G>(M * V);
  parallel_blocks(M, rows_per_block(V), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(G, costs_and_gradients)
    (losses + begin, logits + begin * V, targets + begin, end - begin, V, rule);
  });
  return {reinterpret_cast<const G*>(logits), M, V, V * static_cast<Dim>(sizeof(Compute<G>) / sizeof(G))};
}
RAPT_INSTANTIATE(cross_entropy_forward_backward);
template Matrix<const Bf16> cross_entropy_forward_backward(double*, float*, const std::int32_t*, Dim, Dim,
                                                           const CrossEntropyRule&);

}  // namespace kernels
}  // namespace rapt

#endif
