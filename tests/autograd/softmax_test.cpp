#include "autograd/ops/softmax.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Variable probabilities(const std::vector<Variable>& in) { return softmax(in[0]); }

}  // namespace

TEST_CASE("softmax of 0, ln 2, ln 5 is 1/8, 1/4, 5/8") {
  const Variable x(Tensor::from<double>({0, std::log(2), std::log(5)}, {3}));
  CHECK(max_difference(softmax(x).value(), Tensor::from<double>({0.125, 0.25, 0.625}, {3})) < 1e-15);
}

TEST_CASE("the gradient of softmax agrees with central differences") {
  for (const Shape& shape : {Shape{1}, Shape{3, 1}, Shape{3, 5}, Shape{2, 3, 7}, Shape{5, 33}}) {
    CAPTURE(shape.to_string());
    const GradcheckResult result = gradcheck(probabilities, {random_variable(shape, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("softmax handles huge and masked entries, and keeps NaN to its row") {
  const float low = -INFINITY;
  const Tensor x = Tensor::from<float>({1e38f, -1e38f, low, 1e38f, low, low, -5, low, NAN, 0, 0, 0}, {3, 4});
  const Tensor y = softmax(Variable(x)).value();
  const std::vector<float> expected = {0.5f, 0, 0, 0.5f, 0, 0, 1, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(y.span<float>()[i] == expected[i]);
  for (std::size_t i = 8; i < 12; ++i) CHECK(std::isnan(y.span<float>()[i]));
}

TEST_CASE("a masked entry has no gradient") {
  const Tensor x = Tensor::from<double>({1, -INFINITY, 2}, {1, 3});
  const Tensor dx = value_and_gradients(probabilities, {x})[1];
  CHECK(dx.data<double>()[1] == 0);
  CHECK(dx.data<double>()[0] == doctest::Approx(-dx.data<double>()[2]));
}

TEST_CASE("rows of softmax sum to one for any width") {
  for (const Dim C : {1, 3, 8, 15, 16, 17, 1000, 50257}) {
    CAPTURE(C);
    const Tensor y = softmax(Variable(random_tensor({2, C}, 1, DType::kF32, -20, 20))).value();
    for (Dim n = 0; n < 2; ++n) {
      double sum = 0;
      for (Dim c = 0; c < C; ++c) sum += static_cast<double>(y.data<float>()[n * C + c]);
      CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("softmax gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 200}, 1, DType::kF32, -10, 10)};
  CHECK(same_on_two_threads(probabilities, in));
  CHECK(f32_difference(probabilities, in) < 1e-6);
}

TEST_CASE("softmax rejects a scalar") {
  CHECK_THROWS_WITH_AS(softmax(random_variable({}, 1)), "softmax: x must have at least one axis, got a scalar",
                       ShapeError);
}
