#include "autograd/ops/concat.h"

#include <doctest/doctest.h>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

TEST_CASE("1 2 over 5 6 beside 3 over 7 is 1 2 3 over 5 6 7") {
  const Variable a(Tensor::from<double>({1, 2, 5, 6}, {2, 2})), b(Tensor::from<double>({3, 7}, {2, 1}));
  const Tensor y = concat_columns({a, b}).value();
  CHECK(max_difference(y, Tensor::from<double>({1, 2, 3, 5, 6, 7}, {2, 3})) == 0);
}

TEST_CASE("the gradient of concat_columns agrees with central differences, also for a part that occurs twice") {
  for (const Dim C : {1, 3, 17}) {
    CAPTURE(C);
    const GradcheckResult result = gradcheck(
        [](const std::vector<Variable>& in) {
          return concat_columns({in[0], in[1], in[0]});
        },
        {random_variable({4, C}, 1), random_variable({4, 2}, 2)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("concat_columns gives the same bits on one thread and on two") {
  const auto f = [](const std::vector<Variable>& in) { return concat_columns(in); };
  CHECK(same_on_two_threads(f, {random_tensor({301, 70}, 1, DType::kF32), random_tensor({301, 33}, 2, DType::kF32)}));
}

TEST_CASE("concat_columns names invalid arguments") {
  CHECK_THROWS_WITH_AS(concat_columns({random_variable({4, 2}, 1), random_variable({3, 2}, 1)}),
                       "concat_columns: all parts must be [N, C] with the same N, got [4, 2] and [3, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(concat_columns({}), "concat_columns: there must be at least one part, got none",
                       std::invalid_argument);
}
