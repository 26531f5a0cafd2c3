// Every elementwise function on all 2^32 floats: a finite number never gives NaN, an error above the bounds in the
// headers, or an infinity where the result is finite.
#include "autograd/ops/activation.h"
#include "support/exact_functions.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/every_float_slow_test.cpp"
#include "tensor/simd.h"

#include "support/vector_math-inl.h"

#if HWY_ONCE

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "support/instruction_sets.h"
#include "tensor/parallel.h"

namespace rapt {
RAPT_EXPORT(vector_math);

namespace {

using testing::MathFunction;

constexpr Dim kPiece = Dim{1} << 16;  // floats
constexpr std::uint64_t kFloats = std::uint64_t{1} << 32;

// A function in f32, in f64 and in long double, and its error bound in f32, in units in the last place of the result,
// or of `floor` if the result is smaller.
struct Subject {
  std::string name;
  std::function<void(float*, const float*)> run_f32;  // over kPiece elements
  std::function<void(double*, const double*)> run_f64;
  std::function<long double(long double)> exact;
  double units = 0, floor = 0;
};

Subject math_subject(MathFunction f, double units) {
  return {testing::name_of(f),
          [f](float* y, const float* x) {
            RAPT_DISPATCH(float, vector_math)
            (f, y, x, kPiece);
          },
          [f](double* y, const double* x) {
            RAPT_DISPATCH(double, vector_math)
            (f, y, x, kPiece);
          },
          [f](long double x) { return testing::exact(f, x); },
          units,
          static_cast<double>(std::numeric_limits<float>::min())};
}

Subject activation_subject(Activation f) {
  return {name_of(f),
          [f](float* y, const float* x) { kernels::activation_forward(y, x, kPiece, f); },
          [f](double* y, const double* x) { kernels::activation_forward(y, x, kPiece, f); },
          [f](long double x) { return testing::exact(f, x).value; },
          testing::kActivationUnits,
          1};
}

template <typename T>
void slopes(Activation f, T* y, const T* x) {
  static const std::vector<T> ones(kPiece, T{1});
  kernels::activation_backward(y, ones.data(), x, kPiece, f, Write::kAssign);
}

Subject slope_subject(Activation f) {
  return {std::string("the slope of ") + name_of(f),
          [f](float* y, const float* x) { slopes(f, y, x); },
          [f](double* y, const double* x) { slopes(f, y, x); },
          [f](long double x) { return testing::exact(f, x).slope; },
          testing::kActivationUnits,
          1};
}

std::vector<Subject> subjects() {
  std::vector<Subject> all = {math_subject(MathFunction::kExp, 1.1), math_subject(MathFunction::kLog, 1),
                              math_subject(MathFunction::kTanh, 3), math_subject(MathFunction::kSigmoid, 3)};
  for (const Activation f : testing::kActivations) {
    // tanh and the logistic function are tested above, with tighter bounds.
    if (f != Activation::kTanh && f != Activation::kSigmoid) all.push_back(activation_subject(f));
    all.push_back(slope_subject(f));
  }
  return all;
}

// Whether y is within the subject's bound. Results below the smallest normal number may also be 0.
bool within(const Subject& subject, float y, double right) {
  constexpr double kSmallest = static_cast<double>(std::numeric_limits<float>::min());
  if (std::isnan(right)) return std::isnan(y);
  if (y == static_cast<float>(right)) return true;  // also if both are infinite
  const double size = std::abs(right), error = std::abs(static_cast<double>(y) - right);
  return error <= subject.units * testing::unit_in_last_place<float>(std::max(size, subject.floor)) ||
         (size < kSmallest && error <= size);
}

// The floats whose bits are index * stride, for `count` indices from `first` on. Returns the bits of the first wrong
// one, or -1. The f64 kernel is the oracle for each, and is itself compared with long double at a few of them.
std::int64_t first_wrong(const Subject& subject, std::uint64_t first, std::uint64_t stride) {
  thread_local std::vector<float> x(kPiece), y(kPiece);
  thread_local std::vector<double> wide(kPiece), right(kPiece);
  const auto bits_of = [&](Dim i) {
    return static_cast<std::uint32_t>((first + static_cast<std::uint64_t>(i)) * stride);
  };
  for (Dim i = 0; i < kPiece; ++i) {
    const auto at = static_cast<std::size_t>(i);
    x[at] = std::bit_cast<float>(bits_of(i));
    if (!std::isfinite(x[at])) x[at] = 0;
    wide[at] = 0;  // for denormals as well, which the kernels flush to zero on all threads
    if (std::abs(x[at]) < std::numeric_limits<float>::min()) continue;
    wide[at] = static_cast<double>(x[at]);
  }
  subject.run_f32(y.data(), x.data());
  subject.run_f64(right.data(), wide.data());
  for (Dim i = 0; i < kPiece; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!within(subject, y[at], right[at])) return bits_of(i);
  }
  for (Dim i = static_cast<Dim>(first / kPiece % 1009); i < kPiece; i += 8209) {
    const auto at = static_cast<std::size_t>(i);
    const auto exact = static_cast<double>(subject.exact(static_cast<long double>(wide[at])));
    if (exact == right[at] || (std::isnan(exact) && std::isnan(right[at]))) continue;
    if (!(std::abs(right[at] - exact) <= 1e-12 * std::max(std::abs(exact), subject.floor))) return bits_of(i);
  }
  return -1;
}

void check_floats(const Subject& subject, std::uint64_t stride) {
  const Dim pieces = static_cast<Dim>(kFloats / stride / kPiece);
  std::vector<std::int64_t> wrong(static_cast<std::size_t>(pieces), -1);
  parallel_for(
      pieces,
      [&](Dim piece) {
        wrong[static_cast<std::size_t>(piece)] =
            first_wrong(subject, static_cast<std::uint64_t>(piece * kPiece), stride);
      },
      Schedule::kDynamic);
  const auto found = std::ranges::find_if(wrong, [](std::int64_t bits) { return bits >= 0; });
  const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(found == wrong.end() ? 0 : *found));
  std::vector<float> xs(kPiece, x), ys(kPiece);
  subject.run_f32(ys.data(), xs.data());
  CHECK_MESSAGE(found == wrong.end(), subject.name, " of ", static_cast<double>(x), " is ", ys[0], ", not ",
                static_cast<double>(subject.exact(static_cast<long double>(x))));
}

}  // namespace

TEST_CASE("each elementwise function and its derivative is within its stated error for all floats") {
  for (const Subject& subject : subjects()) check_floats(subject, 1);
}

TEST_CASE("and on the other instruction sets for every 61st float") {
  testing::for_each_instruction_set([] {
    for (const Subject& subject : subjects()) check_floats(subject, 61);
  });
}

}  // namespace rapt

#endif
