#include "autograd/ops/low_rank.h"

#include <doctest/doctest.h>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/sum.h"
#include "io/temporary_folder.h"
#include "support/op_checks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

struct LowRankSizes {
  Dim N, in, out, R, K, first;
};

std::vector<Tensor> inputs_of(const LowRankSizes& s, DType dtype = DType::kF64) {
  return {random_tensor({s.N, s.out}, 1, dtype), random_tensor({s.N, s.in}, 2, dtype),
          random_tensor({s.R, s.in}, 3, dtype), random_tensor({s.K, s.R}, 4, dtype)};
}

Differentiable op_of(const LowRankSizes& s, double scale) {
  return [=](const std::vector<Variable>& in) { return add_low_rank(in[0], in[1], in[2], in[3], s.first, scale); };
}

const std::vector<LowRankSizes> kSizes = {
    {1, 1, 1, 1, 1, 0}, {5, 3, 7, 2, 4, 3}, {4, 6, 9, 3, 3, 0}, {7, 2, 5, 4, 2, 2}};

}  // namespace

TEST_CASE("add_low_rank by hand: one row, one rank, two columns of three") {
  const Variable y(Tensor::from<double>({1, 2, 3}, {1, 3})), x(Tensor::from<double>({2, 5}, {1, 2}));
  const Variable A(Tensor::from<double>({1, 3}, {1, 2})), B(Tensor::from<double>({10, -1}, {2, 1}));
  const Tensor result = add_low_rank(y, x, A, B, 1, 0.5).value();  // x A^T = 17
  CHECK(result.data<double>()[0] == 1);
  CHECK(result.data<double>()[1] == 2 + 85);
  CHECK(result.data<double>()[2] == 3 - 8.5);
  CHECK(y.value().data<double>()[1] == 2);  // unchanged
}

TEST_CASE("add_low_rank is a linear layer of the product of both matrices") {
  const LowRankSizes s{300, 40, 130, 8, 70, 60};
  const std::vector<Tensor> in = inputs_of(s);
  const Tensor result =
      add_low_rank(Variable(in[0]), Variable(in[1]), Variable(in[2]), Variable(in[3]), s.first, 1.5).value();
  const Tensor expected = linear(linear(Variable(in[1]), Variable(in[2])), Variable(in[3])).value();  // [N, K]
  double worst = 0;
  for (Dim n = 0; n < s.N; ++n) {
    for (Dim c = 0; c < s.out; ++c) {
      const bool added = c >= s.first && c < s.first + s.K;
      const double extra = added ? 1.5 * expected.data<double>()[n * s.K + c - s.first] : 0;
      worst =
          std::max(worst, std::abs(result.data<double>()[n * s.out + c] - in[0].data<double>()[n * s.out + c] - extra));
    }
  }
  CHECK(worst < 1e-12);
}

TEST_CASE("the gradients of add_low_rank agree with central differences") {
  for (const LowRankSizes& s : kSizes) {
    CAPTURE(s.N);
    std::vector<Variable> inputs;
    for (const Tensor& t : inputs_of(s)) inputs.emplace_back(t, true);
    const GradcheckResult result = gradcheck(op_of(s, 0.7), inputs);
    CAPTURE(result.message);
    CHECK(result.passed);
  }
}

TEST_CASE("add_low_rank in f32 is add_low_rank in f64, with the same bits on one thread and on two") {
  for (const LowRankSizes& s : {LowRankSizes{300, 96, 150, 8, 50, 50}, LowRankSizes{700, 130, 1300, 16, 1300, 0}}) {
    CHECK(f32_difference(op_of(s, 2), inputs_of(s, DType::kF32)) < 2e-3);  // of sums over 1300
    CHECK(same_on_two_threads(op_of(s, 2), inputs_of(s, DType::kF32)));
  }
}

TEST_CASE("add_low_rank with operands in bf16 differs from f32 by what bf16 rounds, alike on one thread and on two") {
  for (const LowRankSizes& s : {LowRankSizes{300, 96, 150, 8, 50, 50}, LowRankSizes{700, 130, 300, 16, 300, 0},
                                LowRankSizes{5, 6, 9, 3, 3, 1}}) {
    CAPTURE(s.N);
    const std::vector<double> errors = bf16_errors(op_of(s, 2), inputs_of(s, DType::kF32));
    CHECK(errors[1] == 0);  // the gradient of y is that of the result
    for (const std::size_t i : {0u, 2u, 3u, 4u}) {
      CAPTURE(i);
      CHECK(errors[i] < 1e-2);
      CHECK(errors[i] > 1e-4);
    }
    const WithPrecision bf16(Precision::kBf16);
    CHECK(same_on_two_threads(op_of(s, 2), inputs_of(s, DType::kF32)));
  }
}

TEST_CASE("add_low_rank computes only the required gradients") {
  const std::vector<Tensor> in = inputs_of(kSizes[1]);
  const Variable y(in[0]), x(in[1]), A(in[2], true), B(in[3], true);
  backward(sum(add_low_rank(y, x, A, B, 3, 1)));
  CHECK_FALSE(y.grad().defined());
  CHECK_FALSE(x.grad().defined());
  CHECK(A.grad().defined());
  CHECK(B.grad().defined());
}

TEST_CASE("add_low_rank names shapes that do not fit") {
  const Variable y = random_variable({4, 6}, 1), x = random_variable({4, 3}, 2), A = random_variable({2, 3}, 3);
  const Variable B = random_variable({5, 2}, 4);
  CHECK(message_of<ShapeError>([&] { add_low_rank(y, x, A, B, 2, 1); }) ==
        "add_low_rank: columns [2, 7) must be columns of y, got [4, 6]");
  CHECK(message_of<ShapeError>([&] {
          add_low_rank(y, x, A, random_variable({5, 3}, 4), 0, 1);
        }) == "add_low_rank: B must be [K, 2] for A [2, 3], got [5, 3]");
  CHECK(message_of<ShapeError>([&] {
          add_low_rank(y, x, random_variable({2, 4}, 3), B, 0, 1);
        }) == "add_low_rank: A must be [R, 3] for x [4, 3], got [2, 4]");
  CHECK(message_of<ShapeError>([&] {
          add_low_rank(random_variable({3, 6}, 1), x, A, B, 0, 1);
        }) == "add_low_rank: y must be [4, out] for x [4, 3], got [3, 6]");
}
