#include "autograd/ops/rope.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Tensor positions_of(const std::vector<std::int32_t>& values) {
  return Tensor::from(values, {static_cast<Dim>(values.size())});
}

// The formula, element by element.
double expected(const Tensor& x, Dim position, Dim n, Dim c, Dim heads, Dim D, Dim R, double base) {
  const double* const row = x.data<double>() + n * x.shape()[1];
  if (c >= heads * D || c % D >= R) return row[c];
  const Dim half = R / 2, i = c % D % half;
  const double angle =
      static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(R));
  return c % D < half ? row[c] * std::cos(angle) - row[c + half] * std::sin(angle)
                      : row[c] * std::cos(angle) + row[c - half] * std::sin(angle);
}

}  // namespace

TEST_CASE("position 0 does not change the first pair of a head, position 1 rotates it by one radian") {
  const Variable x(Tensor::from<double>({1, 2, 1, 2}, {2, 2}));
  const RopeOptions options = {.heads = 1, .head_width = 2};
  const Tensor y = rope(x, positions_of({0, 1}), options).value();
  CHECK(y.data<double>()[0] == 1);
  CHECK(y.data<double>()[1] == 2);
  CHECK(y.data<double>()[2] == doctest::Approx(std::cos(1) - 2 * std::sin(1)));
  CHECK(y.data<double>()[3] == doctest::Approx(2 * std::cos(1) + std::sin(1)));
}

TEST_CASE("rope rotates the requested columns by the angles of the formula, and copies the others") {
  struct Case {
    Dim heads, D, R, width;
    double base;
  };
  for (const Case c : {Case{1, 2, 2, 2, 10000}, Case{3, 6, 4, 18, 10000}, Case{4, 10, 10, 60, 500},
                       Case{2, 64, 64, 192, 10000}, Case{2, 7, 6, 15, 100}}) {
    for (const auto& positions : {std::vector<std::int32_t>{0, 1, 2, 3, 0, 1}, {1000, 3, 70000, 12, 5, 5}}) {
      CAPTURE(c.D);
      CAPTURE(c.R);
      CAPTURE(positions[0]);
      const Tensor x = random_tensor({6, c.width}, 1);
      const Tensor y = rope(Variable(x), positions_of(positions),
                            {.heads = c.heads, .head_width = c.D, .rotary_width = c.R == c.D ? 0 : c.R, .base = c.base})
                           .value();
      double worst = 0;
      for (Dim n = 0; n < 6; ++n) {
        for (Dim column = 0; column < c.width; ++column) {
          const double want = expected(x, positions[static_cast<std::size_t>(n)], n, column, c.heads, c.D, c.R, c.base);
          worst = std::max(worst, std::abs(y.data<double>()[n * c.width + column] - want));
        }
      }
      CHECK(worst < 1e-12);
    }
  }
}

TEST_CASE("the product of a rotated query and a rotated key depends only on their distance") {
  const Tensor x = random_tensor({1, 8}, 1), k = random_tensor({1, 8}, 2);
  const auto product = [&](std::int32_t a, std::int32_t b) {
    const Tensor q = rope(Variable(x), positions_of({a}), {.head_width = 8}).value();
    const Tensor r = rope(Variable(k), positions_of({b}), {.head_width = 8}).value();
    double sum = 0;
    for (Dim i = 0; i < 8; ++i) sum += q.data<double>()[i] * r.data<double>()[i];
    return sum;
  };
  CHECK(product(17, 5) == doctest::Approx(product(1012, 1000)).epsilon(1e-10));
}

TEST_CASE("the gradient of rope agrees with central differences") {
  const Tensor positions = positions_of({4, 0, 9});
  for (const RopeOptions& options :
       {RopeOptions{.heads = 1, .head_width = 2}, RopeOptions{.heads = 2, .head_width = 3, .rotary_width = 2},
        RopeOptions{.heads = 3, .head_width = 6, .base = 7}}) {
    const Variable x = random_variable({3, options.heads * options.head_width + 5}, 1);
    const GradcheckResult result =
        gradcheck([&](const std::vector<Variable>& in) { return rope(in[0], positions, options); }, {x});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("rope gives the same bits on one thread and on two, and in f32 what f64 gives") {
  std::vector<std::int32_t> positions(300);
  for (std::size_t n = 0; n < positions.size(); ++n) positions[n] = static_cast<std::int32_t>(n % 100);
  const Tensor places = positions_of(positions);
  const auto f = [&](const std::vector<Variable>& in) { return rope(in[0], places, {.heads = 4, .head_width = 32}); };
  const std::vector<Tensor> in = {random_tensor({300, 192}, 1, DType::kF32)};
  CHECK(same_on_two_threads(f, in));
  CHECK(f32_difference(f, in) < 1e-6);
}

TEST_CASE("rope accepts zero rows") {
  const Tensor y = rope(Variable(Tensor::zeros({0, 4})), Tensor::zeros({0}, DType::kI32), {.head_width = 4}).value();
  CHECK(y.shape() == Shape{0, 4});
}

TEST_CASE("rope names invalid arguments") {
  const Variable x = random_variable({2, 6}, 1);
  const Tensor positions = positions_of({0, 1});
  CHECK_THROWS_WITH_AS(rope(x, positions, {.heads = 4, .head_width = 2}),
                       "rope: x must be [N, 8 or more] for 4 heads of width 2, got [2, 6]", ShapeError);
  CHECK_THROWS_WITH_AS(rope(x, positions_of({0}), {.head_width = 2}),
                       "rope: positions must be [2] i32 for x [2, 6], got [1] i32", ShapeError);
  CHECK_THROWS_WITH_AS(rope(x, positions, {.head_width = 3}),
                       "rope: the rotary width must be even and at most the head width 3, got 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(rope(x, positions_of({0, -7}), {.head_width = 2}),
                       "rope: positions must not be negative, got -7", std::invalid_argument);
}
