#include "autograd/ops/layer_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/dropout.h"
#include "autograd/ops/elementwise.h"
#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const DropoutKey kLayerNormKey = {random_key(3, Purpose::kDropout), 5};
constexpr double kEpsilon = 1e-5;

using Fused = std::function<ResidualNorm(const std::vector<Variable>&)>;  // of x, residual, gain, bias

ResidualNorm fused(const std::vector<Variable>& in) { return add_layer_norm(in[0], in[1], in[2], in[3], kEpsilon); }
ResidualNorm fused_dropout(const std::vector<Variable>& in) {
  return dropout_add_layer_norm(in[0], in[1], in[2], in[3], kEpsilon, 0.3, kLayerNormKey);
}
ResidualNorm composed(const std::vector<Variable>& in) {
  const Variable sum = in[1] + in[0];
  return {sum, layer_norm(sum, in[2], in[3], kEpsilon)};
}
ResidualNorm composed_dropout(const std::vector<Variable>& in) {
  const Variable sum = dropout_add(in[0], in[1], 0.3, kLayerNormKey);
  return {sum, layer_norm(sum, in[2], in[3], kEpsilon)};
}

// One output that weights both differently, or one of them alone.
Differentiable both_outputs(const Fused& f) {
  return [f](const std::vector<Variable>& in) {
    const ResidualNorm r = f(in);
    return scale(r.sum, 0.7) + r.normed * r.normed;
  };
}
Differentiable sum_alone(const Fused& f) {
  return [f](const std::vector<Variable>& in) { return f(in).sum; };
}
Differentiable normed_alone(const Fused& f) {
  return [f](const std::vector<Variable>& in) { return f(in).normed; };
}

Variable plain(const std::vector<Variable>& in) { return layer_norm(in[0], in[1], in[2], kEpsilon); }

// x, residual, gain, bias.
std::vector<Tensor> norm_inputs(const Shape& shape, DType dtype) {
  return {random_tensor(shape, 1, dtype), random_tensor(shape, 2, dtype),
          random_tensor({shape.back()}, 3, dtype, 0.5, 1.5), random_tensor({shape.back()}, 4, dtype)};
}

double difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, max_difference(a[i], b[i]));
  return worst;
}

const std::vector<Shape> kLayerNormShapes = {{1, 2}, {3, 5}, {2, 3, 7}, {5, 33}, {70, 3}, {4, 64}};

}  // namespace

TEST_CASE("layer norm of 1, 3 is -1, 1 before gain and bias") {
  const Tensor x = Tensor::from<double>({1, 3, -5, -5}, {2, 2});
  const Variable gain(Tensor::from<double>({2, 3}, {2})), bias(Tensor::from<double>({10, 20}, {2}));
  const Tensor y = layer_norm(Variable(x), gain, bias, 1e-12).value();
  CHECK(max_difference(y, Tensor::from<double>({8, 23, 10, 20}, {2, 2})) < 1e-10);
  const Tensor z = layer_norm(Variable(x), gain, Variable(), 3).value();  // deviation sqrt(1 + 3) = 2
  CHECK(max_difference(z, Tensor::from<double>({-1, 1.5, 0, 0}, {2, 2})) < 1e-12);
}

TEST_CASE("gradients of layer norm agree with central differences") {
  for (const Shape& shape : kLayerNormShapes) {
    CAPTURE(shape.to_string());
    const std::vector<Variable> in = leaves(norm_inputs(shape, DType::kF64));
    const auto without_bias = [](const std::vector<Variable>& v) {
      return layer_norm(v[0], v[1], Variable(), kEpsilon);
    };
    for (const GradcheckResult& result :
         {gradcheck(plain, {in[0], in[2], in[3]}), gradcheck(without_bias, {in[0], in[2]})}) {
      CHECK_MESSAGE(result.passed, result.message);
    }
  }
}

TEST_CASE("gradients of the fused forms agree with central differences, whichever output is used") {
  for (const Shape& shape : kLayerNormShapes) {
    CAPTURE(shape.to_string());
    const std::vector<Variable> in = leaves(norm_inputs(shape, DType::kF64));
    for (const Fused& f : {Fused(fused), Fused(fused_dropout)}) {
      for (const GradcheckResult& result :
           {gradcheck(both_outputs(f), in), gradcheck(sum_alone(f), in), gradcheck(normed_alone(f), in)}) {
        CHECK_MESSAGE(result.passed, result.message);
      }
    }
  }
}

TEST_CASE("a row of one element is its bias and has no gradient") {
  const std::vector<Variable> in = leaves(norm_inputs({3, 1}, DType::kF64));
  CHECK(max_difference(plain({in[0], in[2], in[3]}).value(), Tensor::full({3, 1}, in[3].value().item(), DType::kF64)) ==
        0);
  CHECK(gradcheck(plain, {in[0], in[2], in[3]}).passed);
}

TEST_CASE("the fused forms give what addition, dropout and layer norm give one after the other") {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    const double tolerance = dtype == DType::kF32 ? 1e-4 : 1e-13;
    for (const Shape& shape : {Shape{1, 2}, Shape{37, 129}, Shape{3, 1030}}) {
      CAPTURE(shape.to_string());
      const std::vector<Tensor> in = norm_inputs(shape, dtype);
      for (const auto& form : {both_outputs, sum_alone, normed_alone}) {
        // The sum alone has no gradient for gain and bias.
        const auto give = [&](const Fused& f) {
          std::vector<Tensor> all = value_and_gradients(form(f), in);
          std::erase_if(all, [](const Tensor& t) { return !t.defined(); });
          return all;
        };
        CHECK(difference(give(fused), give(composed)) <= tolerance);
        CHECK(difference(give(fused_dropout), give(composed_dropout)) <= tolerance);
      }
    }
  }
}

TEST_CASE("the same variable as x and as residual gets both gradients") {
  const std::vector<Variable> in = leaves(norm_inputs({4, 6}, DType::kF64));
  for (const Fused& f : {Fused(fused), Fused(fused_dropout)}) {
    const auto twice = [&](const std::vector<Variable>& v) { return both_outputs(f)({v[0], v[0], v[1], v[2]}); };
    const GradcheckResult result = gradcheck(twice, {in[0], in[2], in[3]});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("inputs that require no gradient get none and do not affect the others") {
  const std::vector<Tensor> in = norm_inputs({9, 10}, DType::kF64);
  for (const Fused& f : {Fused(fused), Fused(fused_dropout)}) {
    const std::vector<Tensor> all = value_and_gradients(both_outputs(f), in);
    for (std::size_t wanted = 0; wanted < 4; ++wanted) {
      CAPTURE(wanted);
      const auto one = [&](const std::vector<Variable>& v) {
        std::vector<Variable> some;
        for (std::size_t i = 0; i < 4; ++i) some.push_back(i == wanted ? v[0] : Variable(in[i]));
        return both_outputs(f)(some);
      };
      CHECK(same_bits(value_and_gradients(one, {in[wanted]})[1], all[wanted + 1]));
    }
  }
}

TEST_CASE("f32 rows with a mean of 10,000 deviations are normalised to the last place that f32 leaves them") {
  const Tensor x = random_tensor({50, 768}, 1, DType::kF32, 1e4 - 1, 1e4 + 1);
  const Tensor ones = Tensor::full({768}, 1), none = Tensor::zeros({768});
  const Tensor y = layer_norm(Variable(x), Variable(ones), Variable(none), kEpsilon).value();
  const Tensor exact =
      layer_norm(Variable(x.to(DType::kF64)), Variable(ones.to(DType::kF64)), Variable(none.to(DType::kF64)), kEpsilon)
          .value();
  CHECK(max_difference(y, exact) < 0x1p-10 / 2 / 0.55);  // half a unit in the last place of the mean, over the
                                                         // deviation
}

TEST_CASE("constant rows, huge rows and rows with NaN do not affect other rows") {
  Tensor x = Tensor::full({4, 8}, 1e30);
  for (Dim c = 0; c < 8; ++c) x.data<float>()[8 + c] = c % 2 == 0 ? 1.0f : -1.0f;
  x.data<float>()[16] = NAN;
  for (Dim c = 0; c < 8; ++c) x.data<float>()[24 + c] = 0.0f;
  const Tensor y = layer_norm(Variable(x), Variable(Tensor::full({8}, 1)), Variable(), kEpsilon).value();
  for (Dim c = 0; c < 8; ++c) {
    CHECK(y.data<float>()[c] == 0);
    CHECK(y.data<float>()[8 + c] == doctest::Approx(c % 2 == 0 ? 1 : -1).epsilon(1e-5));
    CHECK(std::isnan(y.data<float>()[16 + c]));
    CHECK(y.data<float>()[24 + c] == 0);
  }
}

TEST_CASE("layer norm gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = norm_inputs({301, 200}, DType::kF32);
  CHECK(same_on_two_threads(plain, {in[0], in[2], in[3]}));
  CHECK(same_on_two_threads(both_outputs(fused), in));
  CHECK(same_on_two_threads(both_outputs(fused_dropout), in));
  CHECK(f32_difference(plain, {in[0], in[2], in[3]}) < 5e-5);
  CHECK(f32_difference(both_outputs(fused_dropout), in) < 2e-4);
}

TEST_CASE("a gain or bias of the wrong size is named with both shapes") {
  const Variable x = random_variable({2, 3, 8}, 1), four = random_variable({4}, 2), eight = random_variable({8}, 3);
  CHECK_THROWS_WITH_AS(layer_norm(x, four, eight, kEpsilon),
                       "layer_norm: gain must be [8] f64 for x [2, 3, 8], got [4] f64", ShapeError);
  CHECK_THROWS_WITH_AS(add_layer_norm(x, x, eight, four, kEpsilon),
                       "add_layer_norm: bias must be [8] f64 for x [2, 3, 8], got [4] f64", ShapeError);
  CHECK_THROWS_WITH_AS(
      add_layer_norm(x, eight, eight, eight, kEpsilon),
      "add_layer_norm: x and residual must have the same shape and type, got [2, 3, 8] f64 and [8] f64", ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm(x, eight, eight, 0), "layer_norm: epsilon must be positive, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(dropout_add_layer_norm(x, x, eight, eight, kEpsilon, 1.5, kLayerNormKey),
                       "dropout_add_layer_norm: p must be at least 0 and less than 1, got 1.5", std::invalid_argument);
}
