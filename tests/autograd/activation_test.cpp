#include "autograd/ops/activation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/gradcheck.h"
#include "support/random_tensor.h"
#include "tensor/parallel.h"

using namespace rapt;
using rapt::testing::random_tensor;

namespace {

constexpr Activation kAll[] = {Activation::kGelu, Activation::kGeluTanh, Activation::kRelu,     Activation::kSilu,
                               Activation::kTanh, Activation::kSigmoid,  Activation::kQuickGelu};

double formula(Activation f, double x) {
  const auto logistic = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (f) {
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kSilu:
      return x * logistic(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return logistic(x);
    case Activation::kQuickGelu:
      return x * logistic(1.702 * x);
    default:
      return x;
  }
}

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

TEST_CASE("activations are what their formulas say, in f64 to 1e-15 and in f32 to 2e-7") {
  const Tensor x = random_tensor({50, 41}, 1, DType::kF64, -9, 9);
  for (const Activation f : kAll) {
    const Tensor y = activation(Variable(x), f).value();
    const Tensor y32 = activation(Variable(x.to(DType::kF32)), f).value();
    double worst = 0, worst32 = 0;
    for (Dim i = 0; i < x.size(); ++i) {
      const double right = formula(f, x.data<double>()[i]),
                   rounded = formula(f, static_cast<float>(x.data<double>()[i]));
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
  const Variable one(Tensor::full({1}, 1, DType::kF64));
  CHECK(gelu(one).value().item() == doctest::Approx(0.841344746068543).epsilon(1e-14));
  CHECK(gelu_tanh(one).value().item() == doctest::Approx(0.841191990608277).epsilon(1e-14));
  CHECK(silu(one).value().item() == doctest::Approx(0.731058578630005).epsilon(1e-14));
  CHECK(relu(one).value().item() == 1);
  CHECK(rapt::tanh(one).value().item() == doctest::Approx(0.761594155955765).epsilon(1e-14));
  CHECK(sigmoid(one).value().item() == doctest::Approx(0.731058578630005).epsilon(1e-14));
}

TEST_CASE("the gradients of activations agree with central differences") {
  for (const Activation f : kAll) {
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
  for (const Activation f : kAll) {
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
  for (const Activation f : kAll) {
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

TEST_CASE("activations have the same bits on one thread and on two") {
  const Tensor x = random_tensor({70'001}, 6, DType::kF32, -5, 5), dy = random_tensor({70'001}, 7, DType::kF32);
  const int threads = thread_count();
  for (const Activation f : kAll) {
    set_thread_count(1);
    const Tensor y1 = activation(Variable(x), f).value(), dx1 = gradient_of(f, x, dy);
    set_thread_count(2);
    const Tensor y2 = activation(Variable(x), f).value(), dx2 = gradient_of(f, x, dy);
    CHECK(std::memcmp(y1.raw(), y2.raw(), y1.bytes()) == 0);
    CHECK(std::memcmp(dx1.raw(), dx2.raw(), dx1.bytes()) == 0);
  }
  set_thread_count(threads);
}

TEST_CASE("activations are known by name") {
  CHECK(activation_from_name("gelu-tanh") == Activation::kGeluTanh);
  for (const Activation f : kAll) CHECK(activation_from_name(name_of(f)) == f);
  CHECK_THROWS_WITH_AS(
      activation_from_name("mish"),
      "activation: must be one of gelu, gelu-tanh, relu, silu, tanh, sigmoid, quick-gelu, none, got mish",
      std::invalid_argument);
}
