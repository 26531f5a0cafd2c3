#include "autograd/ops/mean_pool.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Differentiable means_of(const std::vector<Dim>& lengths) {
  return [layout = pack_lengths(lengths)](const std::vector<Variable>& in) { return mean_pool(in[0], layout); };
}

}  // namespace

TEST_CASE("the means of rows 1 2, 3 4 and of 5 7 alone") {
  const Variable x(Tensor::from<double>({1, 2, 3, 4, 5, 7}, {3, 2}));
  const Tensor y = mean_pool(x, pack_lengths(std::vector<Dim>{2, 1})).value();
  CHECK(max_difference(y, Tensor::from<double>({2, 3, 5, 7}, {2, 2})) < 1e-15);
}

TEST_CASE("the gradient of mean_pool agrees with central differences") {
  for (const Dim C : {1, 3, 17}) {
    CAPTURE(C);
    CHECK_MESSAGE(gradcheck(means_of({1}), {random_variable({1, C}, 1)}).passed, "one row");
    const GradcheckResult result = gradcheck(means_of({3, 1, 4}), {random_variable({8, C}, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("mean_pool keeps NaN to its sequence") {
  Tensor x = Tensor::full({4, 3}, 2);
  x.data<float>()[0] = NAN;
  const Tensor y = mean_pool(Variable(x), pack_lengths(std::vector<Dim>{2, 2})).value();
  CHECK(std::isnan(y.data<float>()[0]));
  for (Dim i = 1; i < 6; ++i) CHECK(y.data<float>()[i] == 2);
}

TEST_CASE("mean_pool gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 200}, 1, DType::kF32)};
  CHECK(same_on_two_threads(means_of({100, 1, 150, 50}), in));
  CHECK(f32_difference(means_of({100, 1, 150, 50}), in) < 1e-6);
}

TEST_CASE("mean_pool names invalid arguments") {
  CHECK_THROWS_WITH_AS(mean_pool(random_variable({4, 2}, 1), pack_lengths(std::vector<Dim>{2, 3})),
                       "mean_pool: x must be [5, C] for this layout, got [4, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(mean_pool(random_variable({2, 2}, 1), pack_lengths(std::vector<Dim>{2, 0})),
                       "mean_pool: sequence 1 is empty and has no mean", ShapeError);
}
