#include "tensor/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/parallel.h"
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

// sum of exp(z - maximum); the terms are stored in `terms` (which may be z) unless that is null.
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

// The loss of a row z, and its gradient if `gradient` is not null; then it overwrites z. Three passes over the row; the
// second and third find it in the core's own cache.
template <typename T>
double row_cost(T* gradient, const T* z, std::int32_t target, Dim V, const kernels::CrossEntropyRule& rule) {
  const Tag<T> d;
  const T maximum = row_maximum(z, V);
  const double spread = rule.smoothing / static_cast<double>(V);
  double cost = (1 - rule.smoothing) * (static_cast<double>(maximum) - static_cast<double>(z[target]));
  if (rule.smoothing != 0) {
    const auto shift = Set(d, maximum);
    cost += spread * sum_in_blocks(z, V, maximum, [&](auto, auto v) HWY_ATTR { return Sub(shift, v); });
  }
  const double sum = sum_of_exp(gradient, z, V, maximum);
  if (gradient != nullptr) {
    const auto factor = Set(d, static_cast<T>(rule.scale / sum));
    const auto rest = Set(d, static_cast<T>(rule.scale * spread));
    for_each_vector(d, V, [&](auto part) HWY_ATTR { part.store(MulSub(part.load(z), factor, rest), gradient); });
    gradient[target] -= static_cast<T>(rule.scale * (1 - rule.smoothing));
  }
  return rule.scale * (cost + std::log(sum));
}

template <typename T>
void costs(double* losses, T* gradients, const T* logits, const std::int32_t* targets, Dim M, Dim V,
           const kernels::CrossEntropyRule& rule) {
  for (Dim m = 0; m < M; ++m) {
    losses[m] = row_cost(gradients == nullptr ? nullptr : gradients + m * V, logits + m * V, targets[m], V, rule);
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

RAPT_EXPORT(costs);

namespace kernels {

template <typename T>
void cross_entropy_forward(double* losses, const T* logits, const std::int32_t* targets, Dim M, Dim V,
                           const CrossEntropyRule& rule) {
  count_elements<T>(M * V);
  parallel_blocks(M, rows_per_block(V), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, costs)(losses + begin, nullptr, logits + begin * V, targets + begin, end - begin, V, rule);
  });
}
RAPT_INSTANTIATE(cross_entropy_forward);

template <typename T>
void cross_entropy_forward_backward(double* losses, T* logits, const std::int32_t* targets, Dim M, Dim V,
                                    const CrossEntropyRule& rule) {
  count_elements<T>(2 * M * V);
  parallel_blocks(M, rows_per_block(V), [&](Dim begin, Dim end) {
    T* const z = logits + begin * V;
    RAPT_DISPATCH(T, costs)(losses + begin, z, z, targets + begin, end - begin, V, rule);
  });
}
RAPT_INSTANTIATE(cross_entropy_forward_backward);

}  // namespace kernels
}  // namespace rapt

#endif
