#include "autograd/ops/elementwise.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Variable variable(const std::vector<double>& values) {
  return Variable(Tensor::from(values, {static_cast<Dim>(values.size())}), true);
}

const std::vector<Shape> kElementwiseShapes = {{1}, {3, 5}, {2, 3, 7}, {}, {19, 2}};

}  // namespace

TEST_CASE("sums, products and multiples of small numbers are those worked by hand") {
  const Variable a = variable({1, -2, 3}), b = variable({4, 5, -6});
  CHECK(same_bits((a + b).value(), Tensor::from<double>({5, 3, -3}, {3})));
  CHECK(same_bits((a * b).value(), Tensor::from<double>({4, -10, -18}, {3})));
  CHECK(same_bits(scale(a, -0.5).value(), Tensor::from<double>({-0.5, 1, -1.5}, {3})));
  clear_tape();
}

TEST_CASE("gradients of add, mul and scale agree with central differences") {
  for (const Shape& shape : kElementwiseShapes) {
    CAPTURE(shape.to_string());
    const Variable a = random_variable(shape, 1), b = random_variable(shape, 2);
    const auto check = [](const Differentiable& f, const std::vector<Variable>& in) {
      const GradcheckResult result = gradcheck(f, in);
      CHECK_MESSAGE(result.passed, result.message);
    };
    check([](const std::vector<Variable>& in) { return in[0] + in[1]; }, {a, b});
    check([](const std::vector<Variable>& in) { return in[0] * in[1]; }, {a, b});
    check([](const std::vector<Variable>& in) { return scale(in[0], -3.25); }, {a});
  }
}

TEST_CASE("a variable added to itself or multiplied with itself gets both gradients") {
  const auto twice = [](const std::vector<Variable>& in) { return in[0] + in[0]; };
  const auto square = [](const std::vector<Variable>& in) { return in[0] * in[0]; };
  CHECK(gradcheck(twice, {random_variable({5}, 1)}).passed);
  CHECK(gradcheck(square, {random_variable({5}, 1)}).passed);
}

TEST_CASE("a factor that requires no gradient gets none") {
  const Variable a = random_variable({4}, 1);
  const Variable b(random_tensor({4}, 2));
  backward(record("first", Tensor::full({}, 0, DType::kF64), {a * b},
                  [](const Tensor&, Grads d) { d.slot(0).tensor.fill(1); }));
  CHECK(same_bits(a.grad(), b.value()));
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("elementwise ops keep infinities and NaN where they are") {
  const Variable a = variable({INFINITY, -INFINITY, NAN, 1e308}), b = variable({1, INFINITY, 2, 1e308});
  const Tensor sum = (a + b).value(), product = (a * b).value();
  CHECK(sum.data<double>()[0] == INFINITY);
  CHECK(std::isnan(sum.data<double>()[1]));
  CHECK(std::isnan(product.data<double>()[2]));
  CHECK(product.data<double>()[3] == INFINITY);
  clear_tape();
}

TEST_CASE("elementwise ops give the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({97, 389}, 1, DType::kF32), random_tensor({97, 389}, 2, DType::kF32)};
  const auto f = [](const std::vector<Variable>& v) { return scale(v[0] * v[1], 0.3) + v[0]; };
  CHECK(same_on_two_threads(f, in));
  CHECK(f32_difference(f, in) < 2e-7);
}

TEST_CASE("add and mul name both shapes when they differ") {
  const Variable a = random_variable({2, 3}, 1), b = random_variable({3}, 2);
  CHECK_THROWS_WITH_AS(add(a, b), "add: both must have the same shape and type, got [2, 3] f64 and [3] f64",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mul(a, b), "mul: both must have the same shape and type, got [2, 3] f64 and [3] f64",
                       ShapeError);
}
