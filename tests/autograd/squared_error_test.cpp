#include "autograd/ops/squared_error.h"

#include <doctest/doctest.h>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

TEST_CASE("the squared error of 1, 5 for the targets 3, 2 is 4 + 9") {
  const Variable x(Tensor::from<double>({1, 5}, {2}));
  CHECK(squared_error(x, Tensor::from<double>({3, 2}, {2})).value().item() == 13);
  CHECK(squared_error(x, Tensor::from<double>({3, 2}, {2}), 0.5).value().item() == 6.5);
}

TEST_CASE("the gradient of squared_error agrees with central differences") {
  for (const Shape& shape : {Shape{1}, Shape{}, Shape{3, 5}, Shape{2, 3, 7}}) {
    CAPTURE(shape.to_string());
    const Tensor targets = random_tensor(shape, 2);
    const GradcheckResult result =
        gradcheck([&](const std::vector<Variable>& in) { return squared_error(in[0], targets, 0.3); },
                  {random_variable(shape, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("squared_error names invalid arguments") {
  CHECK_THROWS_WITH_AS(squared_error(random_variable({2, 3}, 1), Tensor::zeros({3}, DType::kF64)),
                       "squared_error: targets must be [2, 3] f64, got [3] f64", ShapeError);
}
