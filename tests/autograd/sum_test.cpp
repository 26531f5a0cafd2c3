#include "autograd/ops/sum.h"

#include <doctest/doctest.h>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

TEST_CASE("the sum of 1, 2, 3.5 is 6.5, a scalar of the same type") {
  const Variable y = sum(Variable(Tensor::from<float>({1, 2, 3.5f}, {3})));
  CHECK(y.shape() == Shape{});
  CHECK(y.dtype() == DType::kF32);
  CHECK(y.value().item() == 6.5);
  CHECK(sum(Variable(Tensor::zeros({0, 4}))).value().item() == 0);
}

TEST_CASE("the gradient of a sum agrees with central differences") {
  for (const Shape& shape : {Shape{1}, Shape{}, Shape{3, 5}, Shape{2, 3, 7}}) {
    CAPTURE(shape.to_string());
    const GradcheckResult result =
        gradcheck([](const std::vector<Variable>& in) { return sum(in[0]); }, {random_variable(shape, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("ten million times 0.1f are summed without losing precision") {
  const Tensor x = Tensor::full({10'000'000}, 0.1);
  CHECK(sum(Variable(x)).value().item() == doctest::Approx(1e7 * static_cast<double>(0.1f)).epsilon(1e-7));
}

TEST_CASE("a sum has the same bits on one thread and on two") {
  CHECK(same_on_two_threads([](const std::vector<Variable>& in) { return sum(in[0]); },
                            {random_tensor({331, 257}, 1, DType::kF32)}));
}
