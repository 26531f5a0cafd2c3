#include "autograd/ops/rms_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Variable normed(const std::vector<Variable>& in) { return rms_norm(in[0], in[1], 1e-6); }

}  // namespace

TEST_CASE("rms norm of 3, 4, 0, 0 divides by 2.5") {
  const Variable x(Tensor::from<double>({3, 4, 0, 0}, {1, 4})), gain(Tensor::from<double>({1, 10, 1, 1}, {4}));
  CHECK(max_difference(rms_norm(x, gain, 1e-15).value(), Tensor::from<double>({1.2, 16, 0, 0}, {1, 4})) < 1e-12);
}

TEST_CASE("gradients of rms norm agree with central differences") {
  for (const Shape& shape : {Shape{1, 2}, Shape{3, 1}, Shape{3, 5}, Shape{2, 3, 7}, Shape{5, 33}, Shape{70, 3}}) {
    CAPTURE(shape.to_string());
    const GradcheckResult result = gradcheck(normed, {random_variable(shape, 1), random_variable({shape.back()}, 2)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("rms norm handles zero rows and large rows, and keeps NaN to its row") {
  Tensor x = Tensor::zeros({3, 5});
  for (Dim c = 0; c < 5; ++c) x.data<float>()[5 + c] = 1e15f;
  x.data<float>()[10] = NAN;
  const Tensor y = rms_norm(Variable(x), Variable(Tensor::full({5}, 1)), 1e-6).value();
  for (Dim c = 0; c < 5; ++c) {
    CHECK(y.data<float>()[c] == 0);
    CHECK(y.data<float>()[5 + c] == doctest::Approx(1));
    CHECK(std::isnan(y.data<float>()[10 + c]));
  }
}

TEST_CASE("inputs of rms norm that require no gradient get none") {
  const Tensor x = random_tensor({3, 4}, 1), gain = random_tensor({4}, 2);
  const std::vector<Tensor> all = value_and_gradients(normed, {x, gain});
  const auto x_alone = [&](const std::vector<Variable>& in) { return normed({in[0], Variable(gain)}); };
  const auto gain_alone = [&](const std::vector<Variable>& in) { return normed({Variable(x), in[0]}); };
  CHECK(same_bits(value_and_gradients(x_alone, {x})[1], all[1]));
  CHECK(same_bits(value_and_gradients(gain_alone, {gain})[1], all[2]));
}

TEST_CASE("rms norm gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 200}, 1, DType::kF32), random_tensor({200}, 2, DType::kF32)};
  CHECK(same_on_two_threads(normed, in));
  CHECK(f32_difference(normed, in) < 2e-5);
}

TEST_CASE("a gain of the wrong size is named with both shapes by rms_norm") {
  CHECK_THROWS_WITH_AS(rms_norm(random_variable({2, 8}, 1), random_variable({4}, 2), 1e-6),
                       "rms_norm: gain must be [8] f64 for x [2, 8], got [4] f64", ShapeError);
  CHECK_THROWS_WITH_AS(rms_norm(random_variable({2, 8}, 1), random_variable({8}, 2), -1),
                       "rms_norm: epsilon must be positive, got -1", std::invalid_argument);
}

TEST_CASE("unit rows have length one, and zeros stay zeros") {
  const Tensor y = unit_rows(Variable(Tensor::from<double>({3, 4, 0, 0, 1e-9, 0}, {3, 2}))).value();
  CHECK(max_difference(y, Tensor::from<double>({0.6, 0.8, 0, 0, 1, 0}, {3, 2})) < 1e-6);
  const GradcheckResult result =
      gradcheck([](const std::vector<Variable>& in) { return unit_rows(in[0]); }, {random_variable({4, 7}, 1)});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK_THROWS_AS(unit_rows(random_variable({}, 1)), ShapeError);
}
