#include "autograd/ops/sequence_attention.h"

#include <doctest/doctest.h>

#include <cmath>

#include "support/op_checks.h"
#include "support/recurrent_reference.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

struct AttentionCase {
  std::vector<Dim> queries, keys;
  Dim C, M;
  bool additive;

  // query, keys, memory, score
  std::vector<Tensor> inputs(DType dtype = DType::kF64) const {
    const Dim N = pack_lengths(queries).rows(), S = pack_lengths(keys).rows();
    std::vector<Tensor> all = {random_tensor({N, C}, 1, dtype), random_tensor({S, C}, 2, dtype),
                               random_tensor({S, M}, 3, dtype)};
    if (additive) all.push_back(random_tensor({1, C}, 4, dtype));
    return all;
  }
  SequenceAttentionOutput run(const std::vector<Variable>& in) const {
    const AttentionMemory over{in[1], in[2], pack_lengths(keys)};
    return additive ? additive_attention(in[0], pack_lengths(queries), in[3], over)
                    : dot_attention(in[0], pack_lengths(queries), over);
  }
  Differentiable context() const {
    return [c = *this](const std::vector<Variable>& in) { return c.run(in).context; };
  }
};

}  // namespace

TEST_CASE("equal keys are averaged, and the larger product has the larger weight") {
  const Packed one = pack_lengths(std::vector<Dim>{1}), two = pack_lengths(std::vector<Dim>{2});
  const Variable query(Tensor::from<double>({1}, {1, 1})), memory(Tensor::from<double>({2, 4}, {2, 1}));
  const auto same = dot_attention(query, one, {Variable(Tensor::from<double>({5, 5}, {2, 1})), memory, two});
  CHECK(same.context.value().item() == doctest::Approx(3));
  const auto other =
      dot_attention(query, one, {Variable(Tensor::from<double>({0, std::log(3.0)}, {2, 1})), memory, two});
  CHECK(other.weights.data<double>()[1] == doctest::Approx(0.75));
  CHECK(other.context.value().item() == doctest::Approx(3.5));
}

TEST_CASE("attention gives what plain loops give, with the weights of each pair") {
  for (const bool additive : {false, true}) {
    const AttentionCase c{{2, 0, 1, 3}, {3, 2, 1, 17}, 5, 4, additive};
    const auto in = c.inputs();
    const SequenceAttentionOutput out = c.run(leaves(in));
    Row contexts, weights;
    Dim query = 0, key = 0;
    for (std::size_t b = 0; b < c.queries.size(); ++b) {
      std::vector<Row> keys, memory;
      for (Dim s = 0; s < c.keys[b]; ++s, ++key) {
        keys.push_back(row_of(in[1], key));
        memory.push_back(row_of(in[2], key));
      }
      for (Dim q = 0; q < c.queries[b]; ++q, ++query) {
        const auto [a, context] = attend(row_of(in[0], query), keys, memory, additive ? row_of(in[3], 0) : Row());
        weights = both(weights, a);
        contexts = both(contexts, context);
      }
    }
    CHECK(max_difference(out.context.value(), Tensor::from(contexts, out.context.shape())) < 1e-14);
    REQUIRE(out.weights.size() == static_cast<Dim>(weights.size()));
    CHECK(max_difference(out.weights, Tensor::from(weights, out.weights.shape())) < 1e-14);
    clear_tape();
  }
}

TEST_CASE("the gradients of attention agree with central differences") {
  for (const bool additive : {false, true}) {
    for (const AttentionCase& c :
         {AttentionCase{{1}, {1}, 1, 1, additive}, AttentionCase{{2, 1, 3}, {3, 1, 2}, 5, 4, additive},
          AttentionCase{{0, 2}, {1, 7}, 17, 3, additive}}) {
      CAPTURE(additive);
      CAPTURE(c.C);
      const GradcheckResult result = gradcheck(c.context(), leaves(c.inputs()));
      CHECK_MESSAGE(result.passed, result.message);
    }
  }
}

TEST_CASE("keys that are also the memory get both gradients") {
  const Packed layout = pack_lengths(std::vector<Dim>{2, 1});
  const GradcheckResult result = gradcheck(
      [&](const std::vector<Variable>& in) {
        return dot_attention(in[0], layout, {in[1], in[1], pack_lengths(std::vector<Dim>{3, 2})}).context;
      },
      {random_variable({3, 4}, 1), random_variable({5, 4}, 2)});
  CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("attention gives the same bits on one thread and on two, and in f32 what f64 gives") {
  for (const bool additive : {false, true}) {
    const AttentionCase c{{9, 1, 12, 4, 30}, {8, 3, 11, 40, 2}, 70, 35, additive};
    CHECK(same_on_two_threads(c.context(), c.inputs(DType::kF32)));
    CHECK(f32_difference(c.context(), c.inputs(DType::kF32)) < 1e-4);
  }
}

TEST_CASE("several sequences of queries may share their keys, without gradients") {
  const AttentionCase apart{{2, 1, 2}, {3, 2, 3}, 5, 4, true};
  auto in = apart.inputs();
  for (const std::size_t i : {1u, 2u}) in[i].slice(5, 8).copy_from(in[i].slice(0, 3));
  const auto v = leaves(in);
  const AttentionMemory shared{v[1], v[2], pack_lengths(std::vector<Dim>{3, 5}), {0, 1, 0}};
  const Packed queries = pack_lengths(apart.queries);
  CHECK_THROWS_WITH_AS(additive_attention(v[0], queries, v[3], shared),
                       "additive_attention: shared keys have no gradients; use NoGrad", std::invalid_argument);
  const NoGrad no_grad;
  AttentionMemory two = shared;
  two.layout = pack_lengths(std::vector<Dim>{3, 2, 3});
  const auto together = additive_attention(v[0], queries, v[3], two);
  CHECK(same_bits(together.context.value(), apart.run(v).context.value()));
  CHECK(same_bits(together.weights, apart.run(v).weights));
}

TEST_CASE("large scores do not overflow") {
  const Packed one = pack_lengths(std::vector<Dim>{1}), two = pack_lengths(std::vector<Dim>{2});
  const Variable keys(Tensor::from<float>({100, 200}, {2, 1}));
  const auto out = dot_attention(Variable(Tensor::from<float>({100}, {1, 1})), one, {keys, keys, two});
  CHECK(out.context.value().item() == 200);
}

TEST_CASE("attention names invalid arguments") {
  const Packed one = pack_lengths(std::vector<Dim>{1}), two = pack_lengths(std::vector<Dim>{1, 1}),
               none = pack_lengths(std::vector<Dim>{0});
  const auto v = [](const Shape& shape) { return random_variable(shape, 1); };
  CHECK_THROWS_WITH_AS(dot_attention(v({2, 3}), one, {v({1, 3}), v({1, 3}), one}),
                       "dot_attention: query must be [1, C] for this layout, got [2, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(dot_attention(v({1, 3}), one, {v({1, 2}), v({1, 3}), one}),
                       "dot_attention: keys must be [1, 3], got [1, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(additive_attention(v({1, 3}), one, v({2}), {v({1, 3}), v({1, 3}), one}),
                       "additive_attention: score must be [3], got [2]", ShapeError);
  CHECK_THROWS_WITH_AS(dot_attention(v({1, 3}), one, {v({2, 3}), v({2, 3}), two}),
                       "dot_attention: queries and keys must have the same number of sequences, got 1 and 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(dot_attention(v({1, 3}), one, {v({0, 3}), v({0, 3}), none}),
                       "dot_attention: sequence 0 has queries but no keys", ShapeError);
}
