#include "autograd/ops/activation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/gradcheck.h"
#include "support/exact_functions.h"
#include "support/instruction_sets.h"
#include "support/random_tensor.h"
#include "tensor/parallel.h"

using namespace rapt;
using rapt::testing::kActivations;
using rapt::testing::random_tensor;

namespace {

double value_of(Activation f, double x) { return static_cast<double>(rapt::testing::exact(f, x).value); }

Tensor gradient_of(Activation f, const Tensor& x, const Tensor& dy) {
  Tensor dx = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(x.dtype(), [&]<typename T>() {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    kernels::activation_forward<T>(y.data<T>(), x.data<T>(), x.size(), f);
    const Tensor& saved = kernels::backward_from_output(f) ? y : x;
    kernels::activation_backward<T>(dx.data<T>(), dy.data<T>(), saved.data<T>(), x.size(), f, Write::kAssign);
  });
  return dx;
}

}  // namespace

TEST_CASE("activations agree with their formulas, in f64 to 1e-15 and in f32 to 2e-7") {
  const Tensor x = random_tensor({50, 41}, 1, DType::kF64, -9, 9);
  for (const Activation f : kActivations) {
    const Tensor y = activation(Variable(x), f).value();
    const Tensor y32 = activation(Variable(x.to(DType::kF32)), f).value();
    double worst = 0, worst32 = 0;
    for (Dim i = 0; i < x.size(); ++i) {
      const double right = value_of(f, x.data<double>()[i]),
                   rounded = value_of(f, static_cast<float>(x.data<double>()[i]));
      worst = std::max(worst, std::abs(y.data<double>()[i] - right) / std::max(1.0, std::abs(right)));
      worst32 = std::max(
          worst32, std::abs(static_cast<double>(y32.data<float>()[i]) - rounded) / std::max(1.0, std::abs(rounded)));
    }
    CAPTURE(std::string(name_of(f)));
    CHECK(worst < 2e-15);
    CHECK(worst32 < 2e-7);
  }
}

TEST_CASE("activations by hand: gelu(1) and its relatives") {
  const auto of_one = [](Activation f) {
    return activation(Variable(Tensor::full({1}, 1, DType::kF64)), f).value().item();
  };
  CHECK(of_one(Activation::kGelu) == doctest::Approx(0.841344746068543).epsilon(1e-14));
  CHECK(of_one(Activation::kGeluTanh) == doctest::Approx(0.841191990608277).epsilon(1e-14));
  CHECK(of_one(Activation::kSilu) == doctest::Approx(0.731058578630005).epsilon(1e-14));
  CHECK(of_one(Activation::kRelu) == 1);
  CHECK(of_one(Activation::kTanh) == doctest::Approx(0.761594155955765).epsilon(1e-14));
  CHECK(of_one(Activation::kSigmoid) == doctest::Approx(0.731058578630005).epsilon(1e-14));
}

TEST_CASE("the gradients of activations agree with central differences") {
  for (const Activation f : kActivations) {
    for (const Shape& shape : {Shape{1}, Shape{7, 13}, Shape{3, 1, 5}, Shape{300}}) {
      CAPTURE(std::string(name_of(f)));
      CAPTURE(shape.to_string());
      Tensor x = random_tensor(shape, 3, DType::kF64, -4, 4);
      for (double& v : x.span<double>()) v += v < 0 ? -0.01 : 0.01;  // off the kink of ReLU
      const GradcheckResult result =
          gradcheck([f](const std::vector<Variable>& in) { return activation(in[0], f); }, {Variable(x, true)});
      CAPTURE(result.message);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("gradients of activations in f32 are those in f64") {
  const Tensor x = random_tensor({64, 33}, 4, DType::kF32, -12, 12), dy = random_tensor({64, 33}, 5, DType::kF32);
  for (const Activation f : kActivations) {
    CAPTURE(std::string(name_of(f)));
    CHECK(rapt::testing::max_difference(gradient_of(f, x, dy), gradient_of(f, x.to(DType::kF64), dy.to(DType::kF64))) <
          5e-7);
  }
}

TEST_CASE_TEMPLATE("huge inputs saturate, forward and backward, and NaN stays NaN", T, float, double) {
  constexpr T kMax = std::numeric_limits<T>::max();
  const Tensor x =
      Tensor::from(std::vector<T>{-kMax, T{-1e10f}, T{1e10f}, kMax, std::numeric_limits<T>::quiet_NaN()}, {5});
  const Tensor dy = Tensor::full({5}, 1, dtype_of<T>);
  for (const Activation f : kActivations) {
    CAPTURE(std::string(name_of(f)));
    const bool bounded = f == Activation::kTanh || f == Activation::kSigmoid;
    const Tensor y = activation(Variable(x), f).value(), dx = gradient_of(f, x, dy);
    CHECK(y.data<T>()[0] == (f == Activation::kTanh ? -1 : 0));
    CHECK(y.data<T>()[2] == (bounded ? T{1} : T{1e10f}));
    CHECK(y.data<T>()[3] == (bounded ? T{1} : kMax));
    for (const int i : {0, 1}) CHECK(dx.data<T>()[i] == 0);
    for (const int i : {2, 3}) CHECK(dx.data<T>()[i] == (bounded ? 0 : 1));
    CHECK(std::isnan(y.data<T>()[4]));
    if (f != Activation::kRelu) CHECK(std::isnan(dx.data<T>()[4]));
  }
}

// gelu-tanh(-10.060966491699219) was NaN in f32: a limit of the exponential had been rounded up to a value where its
// exponent overflows.
TEST_CASE_TEMPLATE("activations and their slopes are right at the ends of every range, on every instruction set", T,
                   float, double) {
  const std::vector<T> xs = rapt::testing::edges<T>();
  const auto count = static_cast<Dim>(xs.size());
  const std::vector<T> ones(xs.size(), T{1});
  std::vector<T> tile(xs.size()), y(xs.size()), slope(xs.size());
  const auto units = [](T result, long double right) {
    if (result == static_cast<T>(right)) return 0.0;  // also if both are infinite
    const double size = std::max(1.0, std::abs(static_cast<double>(right)));
    return static_cast<double>(std::abs(static_cast<long double>(result) - right)) /
           rapt::testing::unit_in_last_place<T>(size);
  };
  rapt::testing::for_each_instruction_set([&] {
    for (const Activation f : kActivations) {
      CAPTURE(std::string(name_of(f)));
      kernels::activation_tile<T>({tile.data(), 1, count}, {xs.data(), 1, count}, f);  // denormals are kept
      kernels::activation_forward<T>(y.data(), xs.data(), count, f);                   // denormals are flushed
      kernels::activation_backward<T>(slope.data(), ones.data(), xs.data(), count, f, Write::kAssign);
      for (std::size_t i = 0; i < xs.size(); ++i) {
        const T flushed = std::abs(xs[i]) < std::numeric_limits<T>::min() ? 0 : xs[i];
        const long double right = rapt::testing::exact(f, static_cast<long double>(xs[i])).value;
        CAPTURE(xs[i]);
        REQUIRE(units(tile[i], right) <= rapt::testing::kActivationUnits);
        REQUIRE(units(y[i], right) <= rapt::testing::kActivationUnits);
        REQUIRE(units(slope[i], rapt::testing::exact(f, static_cast<long double>(flushed)).slope) <=
                rapt::testing::kActivationUnits);
      }
    }
  });
}

TEST_CASE("activations have the same bits on one thread and on two") {
  const Tensor x = random_tensor({70'001}, 6, DType::kF32, -5, 5), dy = random_tensor({70'001}, 7, DType::kF32);
  const int threads = thread_count();
  for (const Activation f : kActivations) {
    set_thread_count(1);
    const Tensor y1 = activation(Variable(x), f).value(), dx1 = gradient_of(f, x, dy);
    set_thread_count(2);
    const Tensor y2 = activation(Variable(x), f).value(), dx2 = gradient_of(f, x, dy);
    CHECK(std::memcmp(y1.raw(), y2.raw(), y1.bytes()) == 0);
    CHECK(std::memcmp(dx1.raw(), dx2.raw(), dx1.bytes()) == 0);
  }
  set_thread_count(threads);
}

TEST_CASE("activations are found by name") {
  CHECK(std::string(name_of(Activation::kGeluTanh)) == "gelu-tanh");
  for (const auto& [f, name] : activation_names()) CHECK(std::string(name_of(f)) == name);
}
