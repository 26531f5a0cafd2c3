#include "autograd/ops/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/ops/elementwise.h"
#include "support/instruction_sets.h"
#include "support/op_checks.h"
#include "support/pool_bytes.h"
#include "support/random_tensor.h"
#include "support/with_precision.h"

namespace rapt {
namespace {

using testing::random_tensor;
using testing::random_variable;
using testing::same_bits;

Packed packed(const std::vector<Dim>& lengths) { return pack_lengths(lengths); }

Dim total(const std::vector<Dim>& lengths) { return std::accumulate(lengths.begin(), lengths.end(), Dim{0}); }

// Runs backward from y with the gradient dy.
void pull(const Variable& y, const Tensor& dy) {
  backward(
      record("pull", Tensor::full({}, 0, y.dtype()), {y}, [dy](const Tensor&, Grads d) { d.give(0, dy.clone()); }));
}

TEST_CASE("attention weighs values by hand-worked probabilities") {
  // Width 1, scale 1: the second query scores ln 3 and 0, so its weights are 3/4 and 1/4; the first sees one key.
  const double ln3 = std::log(3.0);
  const Variable qkv(Tensor::from(std::vector<double>{5, ln3, 8, 1, 0, 4}, {2, 3}));
  const Tensor causal = self_attention(qkv, packed({2}), {.heads = 1, .scale = 1}).value();
  CHECK(causal.data<double>()[0] == doctest::Approx(8));
  CHECK(causal.data<double>()[1] == doctest::Approx(0.75 * 8 + 0.25 * 4));
  const Tensor open = self_attention(qkv, packed({2}), {.heads = 1, .mask = AttentionMask::kNone, .scale = 1}).value();
  CHECK(open.data<double>()[0] == doctest::Approx((std::pow(3.0, 5) * 8 + 4) / (std::pow(3.0, 5) + 1)));
  const Tensor apart = self_attention(qkv, packed({1, 1}), {.heads = 1, .scale = 1}).value();
  CHECK(apart.data<double>()[1] == doctest::Approx(4));
}

TEST_CASE("the scale is one over the root of the head width unless given") {
  const Variable qkv = random_variable({5, 24}, 1);
  const auto with = [&](double scale) {
    return self_attention(qkv, packed({5}), {.heads = 2, .scale = scale}).value();
  };
  CHECK(same_bits(with(0), with(0.5)));
  CHECK(!same_bits(with(0), with(0.25)));
}

TEST_CASE("self attention's gradient is that of central differences") {
  const std::vector<std::vector<Dim>> packings = {{1}, {2, 1, 7}, {3, 0, 5}, {65, 2}, {130}};
  for (const auto& lengths : packings) {
    for (const Dim heads : {1, 2, 3}) {
      for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
        for (const double dropout : {0.0, 0.3}) {
          CAPTURE(lengths.size());
          CAPTURE(lengths[0]);
          CAPTURE(heads);
          CAPTURE(dropout);
          CAPTURE(static_cast<int>(mask));
          const auto result = gradcheck(
              [&](const std::vector<Variable>& x) {
                return self_attention(x[0], packed(lengths),
                                      {.heads = heads, .mask = mask, .dropout = dropout, .key = {{3, 4}, 100}});
              },
              {random_variable({total(lengths), 3 * 6}, 5)}, {.full_up_to = 150});
          CHECK_MESSAGE(result, result.message);
        }
      }
    }
  }
}

TEST_CASE("cross attention's gradient is that of central differences") {
  struct {
    std::vector<Dim> queries, keys;
    AttentionMask mask;
  } const cases[] = {
      {{1}, {1}, AttentionMask::kNone},
      {{2, 7, 1}, {5, 3, 70}, AttentionMask::kNone},
      {{3, 2, 0, 4}, {0, 1, 3, 5}, AttentionMask::kNone},
      {{4, 1, 66}, {4, 9, 130}, AttentionMask::kCausal},
      {{5, 3}, {2, 3}, AttentionMask::kCausal},  // the first queries of five see none of two keys
  };
  for (const auto& c : cases) {
    for (const Dim heads : {1, 3}) {
      CAPTURE(c.queries.size());
      CAPTURE(c.queries[0]);
      CAPTURE(heads);
      const auto result = gradcheck(
          [&](const std::vector<Variable>& x) {
            return cross_attention(x[0], x[1], packed(c.queries), packed(c.keys),
                                   {.heads = heads, .mask = c.mask, .dropout = 0.2, .key = {{3, 4}, 0}});
          },
          {random_variable({total(c.queries), 9}, 5), random_variable({total(c.keys), 18}, 6)}, {.full_up_to = 150});
      CHECK_MESSAGE(result, result.message);
    }
  }
}

TEST_CASE("cross attention of a packing to itself is self attention") {
  const Packed layout = packed({3, 70, 1});
  const Tensor qkv = random_tensor({74, 36}, 1);
  Tensor q = Tensor::empty({74, 12}, DType::kF64), kv = Tensor::empty({74, 24}, DType::kF64);
  for (Dim i = 0; i < 74; ++i) {
    std::copy_n(qkv.data<double>() + i * 36, 12, q.data<double>() + i * 12);
    std::copy_n(qkv.data<double>() + i * 36 + 12, 24, kv.data<double>() + i * 24);
  }
  for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
    const AttentionOptions options{.heads = 2, .mask = mask, .dropout = 0.5, .key = {{1, 2}, 3}};
    CHECK(same_bits(self_attention(Variable(qkv), layout, options).value(),
                    cross_attention(Variable(q), Variable(kv), layout, layout, options).value()));
  }
}

TEST_CASE("a query that sees no key gets zeros") {
  const Variable q = random_variable({5, 4}, 1), kv = random_variable({2, 8}, 2);
  const Tensor none =
      cross_attention(q, kv, packed({3, 2}), packed({0, 2}), {.heads = 2, .mask = AttentionMask::kNone}).value();
  for (Dim i = 0; i < 12; ++i) CHECK(none.data<double>()[i] == 0);
  CHECK(none.data<double>()[12] != 0);
  const Tensor early = cross_attention(q, kv, packed({5}), packed({2}), {.heads = 2}).value();
  for (Dim i = 0; i < 12; ++i) CHECK(early.data<double>()[i] == 0);
}

TEST_CASE("a batch without rows gives no rows") {
  const Variable qkv = random_variable({0, 12}, 1);
  CHECK(self_attention(qkv, packed({}), {.heads = 2}).shape() == Shape{0, 4});
  CHECK(self_attention(qkv, packed({0, 0}), {.heads = 2}).shape() == Shape{0, 4});
}

TEST_CASE("a sequence gives the same bits alone as inside a batch") {
  const std::pair<DType, Precision> cases[] = {
      {DType::kF32, Precision::kF32}, {DType::kF64, Precision::kF32}, {DType::kF32, Precision::kBf16}};
  for (const auto& [dtype, precision] : cases) {
    const testing::WithPrecision used(precision);
    for (const Dim length : {1, 13, 64, 300, 700}) {
      CAPTURE(length);
      const Tensor qkv = random_tensor({length, 3 * 80}, 9, dtype);
      const std::vector<Dim> lengths{5, length, 90};
      Tensor batch = random_tensor({total(lengths), 3 * 80}, 10, dtype);
      batch.slice(5, 5 + length).copy_from(qkv);
      const auto attend = [&](const std::vector<Dim>& lengths, Dim first_row) {
        return [=](const std::vector<Variable>& x) {
          return self_attention(x[0], packed(lengths), {.heads = 2, .dropout = 0.1, .key = {{1, 2}, first_row}});
        };
      };
      // dy is a function of the row in the whole batch: take its part of the whole batch's run.
      const Tensor y = attend({length}, 5)({Variable(qkv)}).value();
      const Tensor y_batch = attend(lengths, 0)({Variable(batch)}).value();
      CHECK(same_bits(y, y_batch.slice(5, 5 + length).clone()));

      Variable one(qkv.clone(), true), many(batch.clone(), true);
      const Tensor w = random_tensor(y_batch.shape(), 11, dtype);
      pull(attend({length}, 5)({one}), w.slice(5, 5 + length).clone());
      pull(attend(lengths, 0)({many}), w);
      CHECK(same_bits(one.grad(), many.grad().slice(5, 5 + length).clone()));
    }
  }
}

TEST_CASE("attention gives the same bits on one thread and on two") {
  for (const std::vector<Dim>& lengths : {std::vector<Dim>{1100}, std::vector<Dim>{1, 40, 300, 64, 7, 7, 7, 7}}) {
    const auto f = [&](const std::vector<Variable>& x) {
      return self_attention(x[0], packed(lengths), {.heads = 3, .dropout = 0.2, .key = {{1, 2}, 3}});
    };
    CHECK(testing::same_on_two_threads(f, {random_tensor({total(lengths), 3 * 48}, 4, DType::kF32)}));
  }
}

// In bf16, f and its gradients are what f32 gives from inputs and dy rounded beforehand, except that probabilities and
// ds are rounded as well: each by 2^-9 of its size at most.
void check_in_bf16(const Differentiable& f, const std::vector<Tensor>& inputs) {
  const auto rounded = [](const Tensor& x) { return x.to(DType::kBF16).to(DType::kF32); };
  const auto run = [&](const std::function<Tensor(const Tensor&)>& as_operand) {
    std::vector<Variable> leaves;
    for (const Tensor& x : inputs) leaves.emplace_back(as_operand(x), true);
    const Variable y = f(leaves);
    pull(y, as_operand(random_tensor(y.shape(), 7, DType::kF32)));
    std::vector<Tensor> results = {y.value()};
    for (const Variable& leaf : leaves) results.push_back(leaf.grad());
    return results;
  };
  const std::vector<Tensor> wide = run(rounded);
  const testing::WithPrecision bf16(Precision::kBf16);
  const std::vector<Tensor> narrow = run([](const Tensor& x) { return x.clone(); });
  for (std::size_t i = 0; i < wide.size(); ++i) {
    CAPTURE(i);
    CHECK(narrow[i].dtype() == DType::kF32);
    CHECK(testing::relative_error(narrow[i], wide[i]) < 3e-3);
  }
}

TEST_CASE("in bf16, self attention and its gradient are those of operands rounded beforehand") {
  const std::vector<std::vector<Dim>> packings = {{1}, {2, 1, 7}, {3, 0, 5}, {65, 2}, {300, 33}};
  for (const auto& lengths : packings) {
    for (const Dim D : {1, 5, 16, 33, 64}) {
      for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
        for (const double dropout : {0.0, 0.3}) {
          CAPTURE(lengths[0]);
          CAPTURE(D);
          CAPTURE(static_cast<int>(mask));
          CAPTURE(dropout);
          check_in_bf16(
              [&](const std::vector<Variable>& x) {
                return self_attention(x[0], packed(lengths),
                                      {.heads = 3, .mask = mask, .dropout = dropout, .key = {{3, 4}, 100}});
              },
              {random_tensor({total(lengths), 9 * D}, 5, DType::kF32)});
        }
      }
    }
  }
}

TEST_CASE("in bf16, cross attention and its gradients are those of operands rounded beforehand") {
  struct {
    std::vector<Dim> queries, keys;
    AttentionMask mask;
    double scale;
  } const cases[] = {
      {{2, 7, 1}, {5, 3, 70}, AttentionMask::kNone, 0},
      {{3, 2, 0, 4}, {0, 1, 3, 5}, AttentionMask::kNone, 0.3},
      {{4, 1, 66}, {4, 9, 130}, AttentionMask::kCausal, 0},
      {{5, 3, 70}, {2, 3, 5}, AttentionMask::kCausal, -0.7},  // the first queries of five see none of two keys
      {{3, 600}, {513, 301}, AttentionMask::kNone, 0},
  };
  testing::for_each_instruction_set([&] {
    for (const auto& c : cases) {
      for (const Dim D : {7, 32}) {
        for (const double dropout : {0.0, 0.2}) {
          CAPTURE(c.queries[0]);
          CAPTURE(D);
          CAPTURE(dropout);
          check_in_bf16(
              [&](const std::vector<Variable>& x) {
                return cross_attention(
                    x[0], x[1], packed(c.queries), packed(c.keys),
                    {.heads = 2, .mask = c.mask, .scale = c.scale, .dropout = dropout, .key = {{3, 4}, 0}});
              },
              {random_tensor({total(c.queries), 2 * D}, 5, DType::kF32),
               random_tensor({total(c.keys), 4 * D}, 6, DType::kF32)});
        }
      }
    }
  });
}

TEST_CASE("in bf16, attention gives the same bits on one thread and on two") {
  const testing::WithPrecision bf16(Precision::kBf16);
  for (const std::vector<Dim>& lengths : {std::vector<Dim>{1100}, std::vector<Dim>{1, 40, 300, 64, 7, 7, 7, 7}}) {
    const auto f = [&](const std::vector<Variable>& x) {
      return self_attention(x[0], packed(lengths), {.heads = 3, .dropout = 0.2, .key = {{1, 2}, 3}});
    };
    CHECK(testing::same_on_two_threads(f, {random_tensor({total(lengths), 3 * 45}, 4, DType::kF32)}));
  }
}

TEST_CASE("in bf16, attention keeps half as much of queries, keys and values for its backward pass") {
  const Dim N = 512, C = 256, heads = 4;
  const Variable x(Tensor::full({N, 3 * C}, 0.5), true);
  const auto kept = [&] {
    return testing::pool_bytes([&] { return self_attention(scale(x, 2), packed({N}), {.heads = heads}); });
  };
  const Dim wide = kept();
  if (wide == 0) return;  // not counted
  CHECK(wide >= 4 * N * 3 * C);
  const testing::WithPrecision bf16(Precision::kBf16);
  CHECK(kept() <= 2 * N * 3 * C + 4 * N * (C + heads) + 3 * testing::kPoolSlack);
}

TEST_CASE("invalid attention arguments are rejected with the numbers") {
  const Packed five = packed({2, 3});
  const auto self = [&](const Shape& shape, const Packed& layout, AttentionOptions options) {
    return [=] { self_attention(Variable(Tensor::zeros(shape)), layout, options); };
  };
  CHECK_THROWS_WITH_AS(self({5, 30}, five, {.heads = 3})(),
                       "self_attention: heads must divide the width, got width 10 and 3 heads", ShapeError);
  CHECK_THROWS_WITH_AS(self({5, 30}, five, {.heads = 0})(),
                       "self_attention: heads must divide the width, got width 10 and 0 heads", ShapeError);
  CHECK_THROWS_WITH_AS(self({5, 32}, five, {.heads = 2})(), "self_attention: qkv must be [N, 3C], got [5, 32]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(self({7, 30}, five, {.heads = 2})(), "self_attention: offsets must end at N = 7, got 5",
                       ShapeError);
  const Packed late{Tensor::from(std::vector<std::int32_t>{1, 5}, {2}), 4};
  CHECK_THROWS_WITH_AS(self({5, 30}, late, {.heads = 2})(), "self_attention: offsets must start at 0, got 1",
                       ShapeError);
  const Packed falling{Tensor::from(std::vector<std::int32_t>{0, 3, 2, 5}, {4}), 3};
  CHECK_THROWS_WITH_AS(self({5, 30}, falling, {.heads = 2})(),
                       "self_attention: offsets must be non-decreasing, got 2 after 3", ShapeError);
  CHECK_THROWS_WITH_AS(self({5, 30}, five, {.heads = 2, .dropout = 1})(),
                       "self_attention: dropout must be at least 0 and less than 1, got 1.000000",
                       std::invalid_argument);
  const auto cross = [&](const Shape& q, const Shape& kv, const Packed& keys) {
    return [=] { cross_attention(Variable(Tensor::zeros(q)), Variable(Tensor::zeros(kv)), five, keys, {.heads = 2}); };
  };
  CHECK_THROWS_WITH_AS(cross({5, 10}, {4, 30}, packed({4, 0}))(),
                       "cross_attention: q must be [N, C] and kv [S, 2C], got [5, 10] and [4, 30]", ShapeError);
  CHECK_THROWS_WITH_AS(cross({5, 10}, {4, 20}, packed({4}))(),
                       "cross_attention: queries and keys must have the same number of sequences, got 2 and 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(cross({5, 10}, {4, 20}, packed({4, 1}))(), "cross_attention: offsets must end at S = 4, got 5",
                       ShapeError);
}

}  // namespace
}  // namespace rapt
