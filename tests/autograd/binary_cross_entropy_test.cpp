#include "autograd/ops/binary_cross_entropy.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Differentiable loss_of(const Tensor& targets, double scale = 1) {
  return [targets, scale](const std::vector<Variable>& in) {
    return binary_cross_entropy(in[0], targets.to(in[0].dtype()), scale);
  };
}

}  // namespace

TEST_CASE("a logit of ln 3 for yes costs ln(4/3), for no ln 4") {
  const Variable x(Tensor::from<double>({std::log(3), std::log(3)}, {2}));
  const Tensor targets = Tensor::from<double>({1, 0}, {2});
  CHECK(binary_cross_entropy(x, targets).value().item() == doctest::Approx(std::log(4.0 / 3) + std::log(4)));
  CHECK(binary_cross_entropy(x, targets, 0.5).value().item() == doctest::Approx((std::log(4.0 / 3) + std::log(4)) / 2));
}

TEST_CASE("the gradient of binary_cross_entropy agrees with central differences") {
  for (const Shape& shape : {Shape{1}, Shape{}, Shape{3, 5}, Shape{2, 3, 7}}) {
    CAPTURE(shape.to_string());
    const GradcheckResult result =
        gradcheck(loss_of(random_tensor(shape, 2, DType::kF64, 0, 1), 0.3), {random_variable(shape, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("binary_cross_entropy accepts logits for which exp overflows") {
  const Tensor x = Tensor::from<float>({1e30f, -1e30f, 1e30f, -1e30f}, {4});
  const std::vector<Tensor> sure = value_and_gradients(loss_of(Tensor::from<float>({1, 0, 1, 0}, {4})), {x});
  CHECK(sure[0].item() == 0);
  for (const float d : sure[1].span<float>()) CHECK(d == 0);
  CHECK(binary_cross_entropy(Variable(x), Tensor::from<float>({0, 0, 1, 0}, {4})).value().item() ==
        doctest::Approx(1e30));
}

TEST_CASE("binary_cross_entropy gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 20}, 1, DType::kF32, -9, 9)};
  const Differentiable loss = loss_of(random_tensor({301, 20}, 2, DType::kF32, 0, 1), 1e-3);
  CHECK(same_on_two_threads(loss, in));
  CHECK(f32_difference(loss, in) < 1e-5);
}

TEST_CASE("binary_cross_entropy names invalid arguments") {
  CHECK_THROWS_WITH_AS(binary_cross_entropy(random_variable({2, 3}, 1), Tensor::zeros({3, 2}, DType::kF64)),
                       "binary_cross_entropy: targets must be [2, 3] f64, got [3, 2] f64", ShapeError);
  CHECK_THROWS_WITH_AS(binary_cross_entropy(random_variable({2}, 1), Tensor::from<double>({0, 1.5}, {2})),
                       "binary_cross_entropy: targets must be in [0, 1], got 1.5", std::invalid_argument);
}
