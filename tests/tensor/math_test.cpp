// Vector math against long double, for every instruction set that this processor has.
#include "support/exact_functions.h"
#include "tensor/types.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/math_test.cpp"
#include "tensor/simd.h"

#include "support/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void add_up(T* sums, T* largest, const T* x, Dim n) {
  const Tag<T> d;
  auto sum = Zero(d);
  auto most = Set(d, T{-1e30f});
  for_each_vector(d, n, [&](auto part) HWY_ATTR {
    sum = Add(sum, part.load(x));
    most = Max(most, part.load(x, T{-1e30f}));
  });
  *sums = sum_of_lanes(d, sum);
  *largest = max_of_lanes(d, most);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "support/instruction_sets.h"

namespace rapt {
RAPT_EXPORT(vector_math);
RAPT_EXPORT(add_up);

namespace {

using enum testing::MathFunction;
using testing::exact;
using testing::for_each_instruction_set;
using testing::MathFunction;

template <typename T>
std::vector<T> compute(MathFunction function, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  RAPT_DISPATCH(T, vector_math)(function, y.data(), x.data(), static_cast<Dim>(x.size()));
  return y;
}

// |y - exact| in units in the last place of exact, as a T. Results may also be 0 if exact is below the smallest normal
// number.
template <typename T>
double ulps(T y, long double right) {
  if (std::isnan(right)) return std::isnan(y) ? 0 : HUGE_VAL;
  const T rounded = static_cast<T>(right);
  if (y == rounded) return 0;
  if (std::abs(rounded) < std::numeric_limits<T>::min() && y == 0) return 0;
  if (!std::isfinite(y) || !std::isfinite(rounded)) return HUGE_VAL;
  const double magnitude = static_cast<double>(std::max(std::abs(rounded), std::numeric_limits<T>::min()));
  const auto error = static_cast<double>(std::abs(static_cast<long double>(y) - right));
  return error / testing::unit_in_last_place<T>(magnitude);
}

// Numbers of every magnitude and both signs, and more of them where the functions curve.
template <typename T>
std::vector<T> sweep(MathFunction function) {
  std::vector<T> xs;
  const long double limit = function == kExp ? (sizeof(T) == 4 ? 110 : 760) : 40;
  if (function != kLog) {
    for (int i = -100'000; i <= 100'000; ++i) xs.push_back(static_cast<T>(limit * i / 100'000.0L));
    for (int i = -30'000; i <= 30'000; ++i) xs.push_back(static_cast<T>(2.1L * i / 30'000.0L));
  }
  for (int exponent = std::numeric_limits<T>::min_exponent; exponent < std::numeric_limits<T>::max_exponent;
       ++exponent) {
    for (int i = 0; i < 60; ++i) {
      const T x = std::ldexp(static_cast<T>(0.5L + i / 120.0L), exponent);
      xs.push_back(x);
      if (function != kLog) xs.push_back(-x);
    }
  }
  for (int i = 1; i < 40'000; ++i) xs.push_back(static_cast<T>(i / 20'000.0L));
  for (const T x : testing::edges<T>()) {
    if (function != kLog || x >= 0) xs.push_back(x);
  }
  return xs;
}

template <typename T>
double worst_ulps(MathFunction function, T* where, T from, T to) {
  double worst = 0;
  const std::vector<T> xs = sweep<T>(function), ys = compute(function, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i] < from || xs[i] > to) continue;
    const double error = ulps(ys[i], exact(function, static_cast<long double>(xs[i])));
    if (error > worst) {
      worst = error;
      *where = xs[i];
    }
  }
  return worst;
}

template <typename T>
void check_accuracy(MathFunction function, double bound, T from, T to) {
  for_each_instruction_set([&] {
    T where = 0;
    const double worst = worst_ulps<T>(function, &where, from, to);
    CAPTURE(std::string(name_of(function)));
    CAPTURE(sizeof(T));
    CAPTURE(where);
    CHECK(worst <= bound);
  });
}

}  // namespace

TEST_CASE_TEMPLATE("vector math is within the units in the last place that its header states", T, float, double) {
  constexpr T kAll = std::numeric_limits<T>::max();
  check_accuracy<T>(kExp, 1.1, -kAll, kAll);
  check_accuracy<T>(kLog, 1, 0, kAll);
  check_accuracy<T>(kTanh, 3, -kAll, kAll);
  check_accuracy<T>(kSigmoid, 3, -kAll, kAll);
  check_accuracy<T>(kCdf, sizeof(T) == 4 ? 5 : 8, -1, kAll);
}

TEST_CASE("the normal distribution in f64 keeps its precision far into the tails") {
  for_each_instruction_set([] {
    for (double x = -37; x < 9; x += 0.001) {
      const std::vector<double> xs{x};
      const auto right = static_cast<double>(exact(kCdf, x)), density = static_cast<double>(exact(kDensity, x));
      CAPTURE(x);
      REQUIRE(std::abs(compute(kCdf, xs)[0] - right) <= 2e-13 * right);
      REQUIRE(std::abs(compute(kDensity, xs)[0] - density) <= 2e-13 * density);
    }
  });
}

TEST_CASE_TEMPLATE("vector math at infinities, at zero and for NaN", T, float, double) {
  constexpr T kInf = std::numeric_limits<T>::infinity(), kNan = std::numeric_limits<T>::quiet_NaN();
  constexpr T kMax = std::numeric_limits<T>::max();
  const std::vector<T> xs{-kInf, -kMax, T{0}, kMax, kInf, T{-0.0}, kNan};
  using Values = std::vector<T>;
  for_each_instruction_set([&] {
    const auto check = [&](MathFunction function, const Values& right) {
      const Values y = compute(function, xs);
      CAPTURE(std::string(name_of(function)));
      CHECK(std::isnan(y.back()));
      for (std::size_t i = 0; i < right.size(); ++i) {
        CAPTURE(xs[i]);
        CHECK((y[i] == right[i] || std::abs(y[i] - right[i]) <= 4 * std::numeric_limits<T>::epsilon()));
      }
    };
    check(kExp, {0, 0, 1, kInf, kInf, 1});
    check(kTanh, {-1, -1, 0, 1, 1, 0});
    check(kSigmoid, {0, 0, T{0.5}, 1, 1, T{0.5}});
    check(kCdf, {0, 0, T{0.5}, 1, 1, T{0.5}});
    const Values l = compute(kLog, xs), t = compute(kTanh, xs), p = compute(kDensity, xs);
    CHECK(std::isnan(l[0]));
    CHECK(std::isnan(l[1]));
    CHECK(l[2] == -kInf);
    CHECK(l[4] == kInf);
    CHECK(std::isnan(l[6]));
    CHECK(std::signbit(t[5]));
    for (const std::size_t i : {0u, 1u, 3u, 4u}) CHECK(p[i] == 0);
    CHECK(std::isnan(p[6]));
  });
}

TEST_CASE_TEMPLATE("a loop over vectors touches every element once and nothing beyond, whatever the length", T, float,
                   double) {
  for_each_instruction_set([] {
    for (Dim n = 0; n <= 70; ++n) {
      CAPTURE(n);
      std::vector<T> x(static_cast<std::size_t>(n));
      std::iota(x.begin(), x.end(), T{-190});  // where tanh is -1
      std::vector<T> y(x.size() + 1, T{5});
      RAPT_DISPATCH(T, vector_math)(kTanh, y.data(), x.data(), n);
      CHECK(y.back() == 5);
      CHECK(std::count(y.begin(), y.end(), T{-1}) == n);
      T sum = 0, largest = 0;
      RAPT_DISPATCH(T, add_up)(&sum, &largest, x.data(), n);
      CHECK(sum == std::accumulate(x.begin(), x.end(), T{0}));
      if (n > 0) CHECK(largest == x.back());
    }
  });
}

}  // namespace rapt

#endif
