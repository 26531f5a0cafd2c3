// Runs one function of tensor/kernels/math-inl.h over an array. Included by tests after tensor/simd.h; compiled for
// each target.
#if defined(RAPT_TESTS_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TESTS_VECTOR_MATH_INL_H
#undef RAPT_TESTS_VECTOR_MATH_INL_H
#else
#define RAPT_TESTS_VECTOR_MATH_INL_H
#endif

#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T, typename F>
void map(T* y, const T* x, Dim n, F f) {
  const Tag<T> d;
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(f(d, part.load(x)), y); });
}

template <typename T>
void vector_math(testing::MathFunction function, T* y, const T* x, Dim n) {
  using testing::MathFunction;
  switch (function) {
    case MathFunction::kExp:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return Exp(d, v); });
    case MathFunction::kLog:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return Log(d, v); });
    case MathFunction::kTanh:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return Tanh(d, v); });
    case MathFunction::kSigmoid:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return Sigmoid(d, v); });
    case MathFunction::kCdf:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return NormalDistribution(d, v).cdf; });
    case MathFunction::kDensity:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return NormalDistribution(d, v).density; });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
