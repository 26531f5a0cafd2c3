#include "autograd/ops/packed_cross_entropy.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/linear_cross_entropy.h"
#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Tensor ids(const std::vector<std::int32_t>& values, const Shape& shape) { return Tensor::from(values, shape); }

Differentiable loss_of(const std::vector<Dim>& lengths, const Tensor& targets, double scale = 1) {
  return [layout = pack_lengths(lengths), targets, scale](const std::vector<Variable>& in) {
    return packed_cross_entropy(in[0], layout, targets, scale);
  };
}

}  // namespace

TEST_CASE("a row of three that has half of the probability costs ln 2, one that is alone nothing") {
  const Variable x(Tensor::from<double>({0, std::log(2), 0, 5}, {4, 1}));
  const Packed layout = pack_lengths(std::vector<Dim>{3, 1});
  CHECK(packed_cross_entropy(x, layout, ids({1, 0}, {2, 1})).value().item() == doctest::Approx(std::log(2)));
  CHECK(packed_cross_entropy(x, layout, ids({0, 0}, {2, 1}), 0.5).value().item() == doctest::Approx(std::log(4) / 2));
}

TEST_CASE("with sequences of equal length it is the cross-entropy of their scores as rows of logits") {
  const Tensor x = random_tensor({12, 1}, 5);
  const Tensor targets = ids({2, 0, 3}, {3, 1});
  Tensor identity = Tensor::zeros({4, 4}, DType::kF64);
  for (Dim i = 0; i < 4; ++i) identity.data<double>()[5 * i] = 1;
  const double expected =
      linear_cross_entropy(Variable(x.reshape({3, 4})), Variable(identity), {}, all_rows(3), targets.reshape({3}))
          .value()
          .item();
  const double ours =
      packed_cross_entropy(Variable(x), pack_lengths(std::vector<Dim>{4, 4, 4}), targets).value().item();
  CHECK(ours == doctest::Approx(expected).epsilon(1e-14));
}

TEST_CASE("the gradient of packed_cross_entropy agrees with central differences") {
  for (const Dim K : {1, 2, 3}) {
    CAPTURE(K);
    Tensor places = Tensor::zeros({3, K}, DType::kI32);
    places.data<std::int32_t>()[0] = 2;
    places.data<std::int32_t>()[3 * K - 1] = 6;
    const GradcheckResult result = gradcheck(loss_of({3, 1, 7}, places, 0.7), {random_variable({11, K}, 1)});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("packed_cross_entropy accepts scores for which exp overflows") {
  const Tensor x = Tensor::from<float>({1e38f, -1e38f, 0, -1e5f, 1e5f}, {5, 1});
  const std::vector<Tensor> results = value_and_gradients(loss_of({3, 2}, ids({0, 1}, {2, 1})), {x});
  CHECK(results[0].item() == 0);
  for (const float d : results[1].span<float>()) CHECK(d == 0);
}

TEST_CASE("packed_cross_entropy gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 2}, 1, DType::kF32, -9, 9)};
  const Differentiable loss = loss_of({100, 1, 150, 50}, ids({5, 99, 0, 0, 149, 3, 7, 8}, {4, 2}), 0.25);
  CHECK(same_on_two_threads(loss, in));
  CHECK(f32_difference(loss, in) < 1e-5);
}

TEST_CASE("packed_cross_entropy names invalid arguments") {
  const Variable x = random_variable({5, 2}, 1);
  const Packed layout = pack_lengths(std::vector<Dim>{2, 3});
  CHECK_THROWS_WITH_AS(packed_cross_entropy(x, layout, ids({0, 1, 3, 0}, {2, 2})),
                       "packed_cross_entropy: target 0 of sequence 1 must be in [0, 3), got 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(packed_cross_entropy(x, layout, ids({0, -1, 0, 0}, {2, 2})),
                       "packed_cross_entropy: target 1 of sequence 0 must be in [0, 2), got -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(packed_cross_entropy(x, layout, ids({0, 1}, {2, 1})),
                       "packed_cross_entropy: targets must be [2, 2] i32, got [2, 1] i32", ShapeError);
  CHECK_THROWS_WITH_AS(packed_cross_entropy(x, pack_lengths(std::vector<Dim>{6}), ids({0, 1}, {1, 2})),
                       "packed_cross_entropy: x must be [6, K] for this layout, got [5, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(packed_cross_entropy(x, pack_lengths(std::vector<Dim>{5, 0}), ids({0, 0, 0, 0}, {2, 2})),
                       "packed_cross_entropy: sequence 1 is empty", ShapeError);
}
