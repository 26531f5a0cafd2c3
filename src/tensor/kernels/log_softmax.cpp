#include "tensor/kernels/log_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/log_softmax.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

constexpr float kLowestScore = -std::numeric_limits<float>::infinity();

float largest_of(const float* x, Dim n) {
  const Tag<float> d;
  auto high = Set(d, kLowestScore), broken = Zero(d);  // Max() may lose a NaN
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    const auto v = part.load(x, kLowestScore);
    high = Max(high, v);
    broken = IfThenElse(Eq(v, v), broken, v);
  });
  const float not_a_number = sum_of_lanes(d, broken);
  return not_a_number != not_a_number ? not_a_number : max_of_lanes(d, high);
}

float sum_of_exp(const float* x, Dim n, float top) {
  const Tag<float> d;
  const auto shift = Set(d, top);
  auto sum = Zero(d);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { sum = Add(sum, Exp(d, Sub(part.load(x, kLowestScore), shift))); });
  return sum_of_lanes(d, sum);
}

void subtract_from(float* x, float amount, Dim n) {
  const Tag<float> d;
  const auto a = Set(d, amount);
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Sub(part.load(x), a), x); });
}

void maxima_of_blocks(float* maxima, const float* x, Dim n, Dim block) {
  const Tag<float> d;
  for (Dim begin = 0; begin < n; begin += block) {
    auto high = Set(d, kLowestScore);
    const Dim count = n - begin < block ? n - begin : block;
    for_each_vector(d, count, [&](auto part) HWY_ATTR { high = Max(high, part.load(x + begin, kLowestScore)); });
    *maxima++ = max_of_lanes(d, high);
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

HWY_EXPORT(largest_of);
HWY_EXPORT(sum_of_exp);
HWY_EXPORT(subtract_from);
HWY_EXPORT(maxima_of_blocks);

namespace kernels {

float largest(const float* x, Dim n) { return HWY_DYNAMIC_DISPATCH(largest_of)(x, n); }

float log_sum_exp(const float* x, Dim n, float top) {
  return top + std::log(HWY_DYNAMIC_DISPATCH(sum_of_exp)(x, n, top));
}

void subtract(float* x, float amount, Dim n) { HWY_DYNAMIC_DISPATCH(subtract_from)(x, amount, n); }

void block_maxima(float* maxima, const float* x, Dim n) {
  HWY_DYNAMIC_DISPATCH(maxima_of_blocks)(maxima, x, n, kMaximaBlock);
}

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
