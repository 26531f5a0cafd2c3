#include "autograd/ops/dropout.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/elementwise.h"
#include "support/op_checks.h"
#include "tensor/kernels/dropout.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const DropoutKey kDropoutKey = {random_key(42, Purpose::kDropout, 7, 3), 0};

// As kernels/dropout.h defines it.
bool kept(Dim n, Dim c, double p, DropoutKey key) {
  const auto row = static_cast<std::uint64_t>(key.first_row + n);
  const PhiloxBlock words = philox4x32(
      {static_cast<std::uint32_t>(c / 8), static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32), 0},
      key.key);
  const std::uint32_t word = words[static_cast<std::size_t>(c % 8 / 2)];
  const std::uint32_t bits = c % 2 == 0 ? word & 0xFFFF : word >> 16;
  return bits >= static_cast<std::uint32_t>(std::lround(p * 65536));
}

}  // namespace

TEST_CASE("dropout keeps the elements that Philox selects and multiplies them by 1 / (1 - p)") {
  const DropoutKey far = {kDropoutKey.key, Dim{1} << 33};
  for (const Dim C : {1, 2, 7, 8, 9, 31, 64, 385, 1024, 2051}) {
    for (const DropoutKey key : {kDropoutKey, far}) {
      for (const DType dtype : {DType::kF32, DType::kF64}) {
        CAPTURE(C);
        const Tensor y = dropout(Variable(Tensor::full({5, C}, 3, dtype)), 0.25, key).value().to(DType::kF64);
        int wrong = 0;
        for (Dim n = 0; n < 5; ++n) {
          for (Dim c = 0; c < C; ++c) wrong += y.data<double>()[n * C + c] != (kept(n, c, 0.25, key) ? 4.0 : 0.0);
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("the first row moves the pattern: rows of two small batches drop what those of one large batch do") {
  const Tensor x = random_tensor({10, 37}, 1);
  const Tensor whole = dropout(Variable(x), 0.4, kDropoutKey).value();
  const Tensor rest = dropout(Variable(x.slice(6, 10)), 0.4, {kDropoutKey.key, 6}).value();
  CHECK(same_bits(whole.slice(6, 10), rest));
}

TEST_CASE("about a share p is dropped, for p from a step of 1/65536 to almost 1, and the mean stays") {
  const Tensor x = Tensor::full({1000, 1000}, 1);
  for (const double p : {0.001, 0.1, 0.5, 0.9, 0.999999}) {
    CAPTURE(p);
    const Tensor y = dropout(Variable(x), p, kDropoutKey).value();
    double zeros = 0, sum = 0;
    for (const float v : y.span<float>()) zeros += v == 0, sum += static_cast<double>(v);
    const double exact = std::min(65535.0, std::round(p * 65536)) / 65536,
                 deviation = std::sqrt(exact * (1 - exact) / 1e6);
    CHECK(std::abs(zeros / 1e6 - exact) < 5 * deviation);
    CHECK(std::abs(sum / 1e6 - 1) < 5 * deviation / (1 - exact));
  }
}

TEST_CASE("gradients of dropout and dropout_add agree with central differences") {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 5}, Shape{2, 3, 17}, Shape{4, 64}}) {
    CAPTURE(shape.to_string());
    const Variable x = random_variable(shape, 1), residual = random_variable(shape, 2);
    const auto alone = [](const std::vector<Variable>& in) { return dropout(in[0], 0.3, kDropoutKey); };
    const auto both = [](const std::vector<Variable>& in) { return dropout_add(in[0], in[1], 0.3, kDropoutKey); };
    for (const GradcheckResult& result :
         {gradcheck(alone, {x}), gradcheck(both, {x, residual}), gradcheck(both, {x, x})}) {
      CHECK_MESSAGE(result.passed, result.message);
    }
  }
}

TEST_CASE("dropout_add is residual + dropout") {
  const auto fused = [](const std::vector<Variable>& in) { return dropout_add(in[0], in[1], 0.2, kDropoutKey); };
  const auto composed = [](const std::vector<Variable>& in) { return in[1] + dropout(in[0], 0.2, kDropoutKey); };
  const std::vector<Tensor> in = {random_tensor({33, 77}, 1), random_tensor({33, 77}, 2)};
  const std::vector<Tensor> a = value_and_gradients(fused, in), b = value_and_gradients(composed, in);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(max_difference(a[i], b[i]) < 1e-15);
}

TEST_CASE("with p = 0, dropout returns x itself, and dropout_add adds") {
  const Variable x = random_variable({2, 3}, 1);
  CHECK(dropout(x, 0, kDropoutKey).value().raw() == x.value().raw());
  CHECK(same_bits(dropout_add(x, x, 0, kDropoutKey).value(), (x + x).value()));
  clear_tape();
}

TEST_CASE("a dropped NaN or infinity is zero") {
  const Tensor y = dropout(Variable(Tensor::full({4, 16}, INFINITY)), 0.5, kDropoutKey).value();
  for (Dim i = 0; i < y.size(); ++i) {
    CHECK(y.data<float>()[i] == (kept(i / 16, i % 16, 0.5, kDropoutKey) ? INFINITY : 0));
  }
}

TEST_CASE("dropout gives the same bits on one thread and on two, and in f32 what f64 gives") {
  const std::vector<Tensor> in = {random_tensor({301, 129}, 1, DType::kF32), random_tensor({301, 129}, 2, DType::kF32)};
  const auto f = [](const std::vector<Variable>& v) { return dropout_add(v[0], v[1], 0.1, kDropoutKey); };
  CHECK(same_on_two_threads(f, in));
  CHECK(f32_difference(f, in) < 3e-7);
}

TEST_CASE("impossible probabilities and shapes are named") {
  const Variable x = random_variable({2, 3}, 1);
  CHECK_THROWS_WITH_AS(dropout(x, 1, kDropoutKey), "dropout: p must be at least 0 and less than 1, got 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(dropout_add(x, x, NAN, kDropoutKey),
                       "dropout_add: p must be at least 0 and less than 1, got nan", std::invalid_argument);
  CHECK_THROWS_WITH_AS(dropout_add(x, random_variable({3}, 1), 0.1, kDropoutKey),
                       "dropout_add: x and residual must have the same shape and type, got [2, 3] f64 and [3] f64",
                       ShapeError);
}
