#include "autograd/ops/linear.h"

#include <doctest/doctest.h>

#include <cstring>

#include "autograd/gradcheck.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/feed_forward.h"
#include "autograd/ops/sum.h"
#include "support/pool_bytes.h"
#include "support/random_tensor.h"
#include "support/thread_counts.h"
#include "support/with_precision.h"
#include "tensor/parallel.h"

using namespace rapt;
using rapt::testing::max_difference;
using rapt::testing::random_tensor;
using rapt::testing::random_variable;
using rapt::testing::same_bits;

namespace {

constexpr Activation kAll[] = {Activation::kNone, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu,
                               Activation::kSilu, Activation::kTanh, Activation::kSigmoid,  Activation::kQuickGelu};

struct LinearSizes {
  Dim N, in, out;
};

// x, W, b and the loss sum(w * linear(x, W, b, f)), run forward and backward: y and the three gradients.
std::vector<Tensor> run(const LinearSizes& s, DType dtype, Activation f, bool with_bias = true) {
  const Variable x(random_tensor({s.N, s.in}, 1).to(dtype), true), W(random_tensor({s.out, s.in}, 2).to(dtype), true);
  const Variable b = with_bias ? Variable(random_tensor({s.out}, 3).to(dtype), true) : Variable();
  const Variable y = linear(x, W, b, f);
  const Tensor result = y.value();
  backward(sum(y * Variable(random_tensor({s.N, s.out}, 4).to(dtype))));
  std::vector<Tensor> all{result, x.grad(), W.grad()};
  if (with_bias) all.push_back(b.grad());
  return all;
}

}  // namespace

TEST_CASE("linear by hand") {
  const Variable x(Tensor::from(std::vector<double>{1, 2, 3, 4}, {2, 2}), true);
  const Variable W(Tensor::from(std::vector<double>{1, 0, 1, 1, -1, 2}, {3, 2}), true);
  const Variable b(Tensor::from(std::vector<double>{10, 20, -3}, {3}), true);
  const Variable y = linear(x, W, b, Activation::kRelu);
  const std::vector<double> right{11, 23, 0, 13, 27, 2};
  CHECK(std::memcmp(y.value().raw(), right.data(), 48) == 0);
  backward(sum(y));  // all but y[0][2] are above zero
  const std::vector<double> dx{2, 1, 1, 3}, dW{4, 6, 4, 6, 3, 4}, db{2, 2, 1};
  CHECK(std::memcmp(x.grad().raw(), dx.data(), 32) == 0);
  CHECK(std::memcmp(W.grad().raw(), dW.data(), 48) == 0);
  CHECK(std::memcmp(b.grad().raw(), db.data(), 24) == 0);
}

TEST_CASE("the gradients of linear agree with central differences") {
  for (const Activation f : kAll) {
    for (const LinearSizes s :
         {LinearSizes{1, 1, 1}, LinearSizes{5, 7, 3}, LinearSizes{1, 9, 17}, LinearSizes{131, 2, 5}}) {
      for (const bool with_bias : {true, false}) {
        CAPTURE(std::string(name_of(f)));
        CAPTURE(s.N);
        CAPTURE(with_bias);
        std::vector<Variable> inputs{random_variable({s.N, s.in}, 5), random_variable({s.out, s.in}, 6)};
        if (with_bias) inputs.push_back(random_variable({s.out}, 7));
        const GradcheckResult result = gradcheck(
            [f](const std::vector<Variable>& in) {
              return linear(in[0], in[1], in.size() > 2 ? in[2] : Variable(), f);
            },
            inputs);
        CAPTURE(result.message);
        CHECK(result.passed);
      }
    }
  }
}

TEST_CASE("linear with an activation is linear followed by the activation") {
  for (const Activation f : kAll) {
    CAPTURE(std::string(name_of(f)));
    const LinearSizes s{300, 40, 1100};
    const std::vector<Tensor> fused = run(s, DType::kF64, f);
    const Variable x(random_tensor({s.N, s.in}, 1), true), W(random_tensor({s.out, s.in}, 2), true);
    const Variable b(random_tensor({s.out}, 3), true);
    const Variable y = activation(linear(x, W, b), f);
    CHECK(max_difference(y.value(), fused[0]) < 1e-14);
    backward(sum(y * Variable(random_tensor({s.N, s.out}, 4))));
    CHECK(max_difference(x.grad(), fused[1]) < 1e-12);
    CHECK(max_difference(W.grad(), fused[2]) < 1e-12);
    CHECK(max_difference(b.grad(), fused[3]) < 1e-12);
  }
}

TEST_CASE("linear in f32 is linear in f64") {
  const std::vector<Tensor> small = run({200, 96, 150}, DType::kF32, Activation::kGelu);
  const std::vector<Tensor> large = run({200, 96, 150}, DType::kF64, Activation::kGelu);
  for (std::size_t i = 0; i < small.size(); ++i) CHECK(max_difference(small[i], large[i]) < 3e-5);
}

TEST_CASE("linear has the same bits on one thread and on two") {
  const int threads = thread_count();
  for (const Activation f : {Activation::kNone, Activation::kGeluTanh}) {
    for (const LinearSizes s :
         {LinearSizes{1, 768, 2304}, LinearSizes{3, 100, 50}, LinearSizes{8, 300, 1000}, LinearSizes{700, 130, 1300}}) {
      CAPTURE(s.N);
      set_thread_count(1);
      const std::vector<Tensor> one = run(s, DType::kF32, f);
      set_thread_count(2);
      const std::vector<Tensor> two = run(s, DType::kF32, f);
      for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
    }
  }
  set_thread_count(threads);
}

TEST_CASE("linear computes only the required gradients") {
  const Variable x(random_tensor({4, 3}, 1)), W = random_variable({5, 3}, 2), b(random_tensor({5}, 3));
  backward(sum(linear(x, W, b, Activation::kGelu)));
  CHECK_FALSE(x.grad().defined());
  CHECK(W.grad().defined());
  CHECK_FALSE(b.grad().defined());
  const Variable no_rows(Tensor::empty({0, 3}, DType::kF64), true);
  const Variable W2 = random_variable({5, 3}, 2), b2 = random_variable({5}, 2);
  backward(sum(linear(no_rows, W2, b2)));
  for (const double g : W2.grad().span<double>()) CHECK(g == 0);
  for (const double g : b2.grad().span<double>()) CHECK(g == 0);
}

TEST_CASE("linear names shapes that do not fit") {
  const Variable x = random_variable({4, 8}, 1);
  CHECK_THROWS_WITH_AS(linear(x, random_variable({3, 7}, 2)),
                       "linear: weight must be [out, 8] for x [4, 8], got [3, 7]", ShapeError);
  CHECK_THROWS_WITH_AS(linear(x, random_variable({3, 8}, 2), random_variable({8}, 3)),
                       "linear: bias must be [3] for weight [3, 8], got [8]", ShapeError);
  CHECK_THROWS_WITH_AS(linear(random_variable({8}, 1), random_variable({3, 8}, 2)),
                       "linear: x must be [N, in], got [8]", ShapeError);
}

TEST_CASE("feed_forward is two linear layers, values and gradients") {
  for (const Activation f : kAll) {
    CAPTURE(std::string(name_of(f)));
    std::vector<Tensor> results[2];
    for (const bool fused : {false, true}) {
      const Variable x = random_variable({50, 24}, 1), U = random_variable({96, 24}, 2), a = random_variable({96}, 3);
      const Variable W = random_variable({24, 96}, 4), b = random_variable({24}, 5);
      const Variable y = fused ? feed_forward(x, U, a, W, b, f) : linear(linear(x, U, a, f), W, b);
      results[fused] = {y.value()};
      backward(sum(y * Variable(random_tensor({50, 24}, 6))));
      for (const Variable& v : {x, U, a, W, b}) results[fused].push_back(v.grad());
    }
    for (std::size_t i = 0; i < 6; ++i) CHECK(max_difference(results[0][i], results[1][i]) < 1e-12);
  }
}

TEST_CASE("the gradients of feed_forward agree with central differences") {
  for (const Activation f : {Activation::kGelu, Activation::kGeluTanh, Activation::kSilu, Activation::kTanh}) {
    for (const LinearSizes s : {LinearSizes{1, 1, 1}, LinearSizes{5, 3, 7}, LinearSizes{2, 6, 4}}) {
      for (const bool bias : {true, false}) {
        std::vector<Variable> inputs{random_variable({s.N, s.in}, 1), random_variable({s.out, s.in}, 2),
                                     random_variable({s.in, s.out}, 3)};
        if (bias) {
          inputs.push_back(random_variable({s.out}, 4));
          inputs.push_back(random_variable({s.in}, 5));
        }
        const GradcheckResult result = gradcheck(
            [&](const std::vector<Variable>& in) {
              return feed_forward(in[0], in[1], bias ? in[3] : Variable(), in[2], bias ? in[4] : Variable(), f);
            },
            inputs);
        CAPTURE(result.message);
        CHECK(result.passed);
      }
    }
  }
}

TEST_CASE("feed_forward keeps one wide tensor where two linear layers keep two") {
  const Dim N = 64, C = 32, F = 4096;
  const Variable x(random_tensor({N, C}, 1, DType::kF32)), b;
  const Variable U = random_variable({F, C}, 2, DType::kF32), W = random_variable({C, F}, 3, DType::kF32);
  const Dim two = testing::pool_bytes([&] { return linear(linear(x, U, b, Activation::kGelu), W, b); });
  const Dim one = testing::pool_bytes([&] { return feed_forward(x, U, b, W, b, Activation::kGelu); });
  if (two == 0) return;  // not counted
  CHECK(one + 4 * N * F <= two + testing::kPoolSlack);
}

TEST_CASE("in bf16, feed_forward keeps half as much for its backward pass") {
  const Dim N = 64, C = 32, F = 4096;
  const Variable x(Tensor::full({N, C}, 0.5), true), U(Tensor::full({F, C}, 0.01), true);
  const Variable W(Tensor::full({C, F}, 0.01), true), none;
  const auto kept = [&] {
    const auto f = [&] { return feed_forward(x, U, none, W, none, Activation::kGelu); };
    testing::pool_bytes(f);  // makes the weights' narrow copies
    return testing::pool_bytes(f);
  };
  const Dim wide = kept();
  if (wide == 0) return;  // not counted
  CHECK(wide >= 4 * N * F);
  const testing::WithPrecision bf16(Precision::kBf16);
  CHECK(kept() <= 2 * N * F + 8 * N * C + testing::kPoolSlack);
}

TEST_CASE("with operands in bf16, layers and their gradients differ from f32 by what bf16 rounds") {
  const auto feed = [](Activation f) {
    const Variable x(random_tensor({70, 40}, 1).to(DType::kF32), true);
    const Variable U(random_tensor({90, 40}, 2).to(DType::kF32), true), a(random_tensor({90}, 3).to(DType::kF32), true);
    const Variable W(random_tensor({40, 90}, 4).to(DType::kF32), true), b(random_tensor({40}, 5).to(DType::kF32), true);
    const Variable y = feed_forward(x, U, a, W, b, f);
    const Tensor result = y.value();
    backward(sum(y * Variable(random_tensor({70, 40}, 6).to(DType::kF32))));
    return std::vector<Tensor>{result, x.grad(), U.grad(), a.grad(), W.grad(), b.grad()};
  };
  for (const Activation f : {Activation::kNone, Activation::kGelu, Activation::kTanh, Activation::kSilu}) {
    CAPTURE(static_cast<int>(f));
    const std::vector<Tensor> one = run({70, 40, 90}, DType::kF32, f), two = feed(f);
    const testing::WithPrecision bf16(Precision::kBf16);
    const std::vector<Tensor> narrow_one = run({70, 40, 90}, DType::kF32, f), narrow_two = feed(f);
    for (std::size_t i = 0; i < one.size(); ++i) {
      CAPTURE(i);
      CHECK(testing::relative_error(narrow_one[i], one[i]) < 1e-2);
      if (i < 3) CHECK(testing::relative_error(narrow_one[i], one[i]) > 1e-5);
    }
    for (std::size_t i = 0; i < two.size(); ++i) {
      CAPTURE(i);
      CHECK(testing::relative_error(narrow_two[i], two[i]) < 2e-2);
    }
    // f64 is never narrowed: it is for checks.
    CHECK(same_bits(run({5, 6, 7}, DType::kF64, f)[0], [&] {
      const testing::WithPrecision f32(Precision::kF32);
      return run({5, 6, 7}, DType::kF64, f)[0];
    }()));
  }
}

TEST_CASE("feed_forward names the weight that does not fit") {
  const Variable x = random_variable({4, 8}, 1), none;
  CHECK_THROWS_WITH_AS(
      feed_forward(x, random_variable({32, 9}, 2), none, random_variable({8, 32}, 3), none, Activation::kGelu),
      "feed_forward: up must be [out, 8] for input [4, 8], got [32, 9]", ShapeError);
  CHECK_THROWS_WITH_AS(
      feed_forward(x, random_variable({32, 8}, 2), none, random_variable({8, 31}, 3), none, Activation::kGelu),
      "feed_forward: down must be [out, 32] for input [4, 32], got [8, 31]", ShapeError);
}
