#include "nn/models/gpt.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "support/random_tensor.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

using namespace rapt;

namespace {

// Sequences of these lengths, tokens at random, every token predicted.
Batch random_batch(const std::vector<Dim>& lengths, Dim vocabulary, std::uint64_t seed) {
  Rng rng(random_key(seed, Purpose::kText));
  std::vector<std::int32_t> tokens, positions, rows, targets;
  for (const Dim length : lengths) {
    for (Dim i = 0; i < length; ++i) {
      rows.push_back(static_cast<std::int32_t>(tokens.size()));
      tokens.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocabulary))));
      targets.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocabulary))));
      positions.push_back(static_cast<std::int32_t>(i));
    }
  }
  const auto N = static_cast<Dim>(tokens.size());
  return {.layout = pack_lengths(lengths),
          .tokens = Tensor::from(tokens, {N}),
          .positions = Tensor::from(positions, {N}),
          .segments = Tensor(),
          .target_rows = Tensor::from(rows, {N}),
          .targets = Tensor::from(targets, {N})};
}

GptConfig small() {
  GptConfig c;
  c.vocabulary = 19;
  c.context = 12;
  c.width = 8;
  c.layers = 2;
  c.heads = 2;
  return c;
}

std::vector<Variable> variables_of(Gpt& model) {
  std::vector<Variable> variables;
  for (NamedParameter& p : parameters_of(model)) variables.push_back(p.variable);
  return variables;
}

}  // namespace

TEST_CASE("GPT-2 has 124,439,808 parameters and GPT-1 116,534,784") {
  Initializer init = Initializer::unset();
  Gpt gpt2(GptConfig::gpt2(), init);
  CHECK(parameter_count(gpt2) == 124439808);
  Gpt gpt1(GptConfig::gpt1(), init);
  CHECK(parameter_count(gpt1) == 116534784);
}

TEST_CASE("the whole network's gradients agree with central differences") {
  std::vector<GptConfig> configs(6, small());
  configs[1].norm = NormPlacement::kPost;
  configs[2].tied_head = false;
  configs[2].bias = false;
  configs[3].positions = PositionKind::kRotary;
  configs[4].positions = PositionKind::kSinusoidal;
  configs[4].activation = Activation::kSilu;
  configs[5].norm = NormPlacement::kPost;
  configs[5].dropout_on_table = true;
  configs[5].embedding_dropout = configs[5].attention_dropout = configs[5].residual_dropout = 0.3;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    CAPTURE(i);
    configs[i].init_std = 0.3;
    Initializer init(7, DType::kF64);
    Gpt model(configs[i], init);
    const Batch batch = random_batch({5, 1, 12}, 19, 3);
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Variable>&) {
          Context ctx;
          ctx.training = true;
          return model.loss(batch, ctx);
        },
        variables_of(model), {.full_up_to = 12});
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("recomputing blocks changes neither loss nor gradients") {
  GptConfig c = small();
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0.2;
  const Batch batch = random_batch({7, 12, 3}, 19, 5);
  std::vector<Tensor> gradients[2];
  double losses[2];
  for (const bool recompute : {false, true}) {
    Initializer init(3);
    Gpt model(c, init);
    Context ctx;
    ctx.training = true;
    ctx.recompute = recompute;
    const Variable loss = model.loss(batch, ctx);
    losses[recompute] = loss.value().item();
    backward(loss);
    for (const Variable& v : variables_of(model)) gradients[recompute].push_back(v.grad());
  }
  CHECK(losses[0] == losses[1]);
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    CHECK(rapt::testing::max_difference(gradients[0][i], gradients[1][i]) == 0);
  }
}

TEST_CASE("a sequence gives the same states alone and among others") {
  Initializer init(1);
  const Gpt model(small(), init);
  const NoGrad no_grad;
  const Batch all = random_batch({4, 9, 2}, 19, 8);
  Batch one;
  one.layout = pack_lengths(std::vector<Dim>{9});
  one.tokens = all.tokens.slice(4, 13);
  one.positions = all.positions.slice(4, 13);
  Context ctx;
  const Tensor together = model.hidden(all, ctx).value().slice(4, 13);
  CHECK(rapt::testing::max_difference(together, model.hidden(one, ctx).value()) < 1e-6);
}

TEST_CASE("token by token with a cache gives the states of the whole sequence") {
  for (const PositionKind positions : {PositionKind::kLearned, PositionKind::kRotary, PositionKind::kSinusoidal}) {
    GptConfig c = small();
    c.positions = positions;
    Initializer init(1);
    const Gpt model(c, init);
    const NoGrad no_grad;
    const Batch whole = random_batch({6, 9}, 19, 8);
    Context ctx;
    const Tensor expected = model.hidden(whole, ctx).value();
    KeyValueCache cache({.layers = 2, .sequences = 2, .most_sequences = 2, .capacity = 12, .width = 8});
    // First 5 and 8 tokens at once, then the last of each.
    const auto part = [&](const std::vector<std::pair<Dim, Dim>>& ranges) {
      std::vector<Dim> lengths;
      std::vector<std::int32_t> tokens, places;
      for (const auto& [begin, end] : ranges) {
        lengths.push_back(end - begin);
        for (Dim i = begin; i < end; ++i) {
          tokens.push_back(whole.tokens.data<std::int32_t>()[i]);
          places.push_back(whole.positions.data<std::int32_t>()[i]);
        }
      }
      Batch b;
      const auto N = static_cast<Dim>(tokens.size());
      b.layout = pack_lengths(lengths);
      b.tokens = Tensor::from(tokens, {N});
      b.positions = Tensor::from(places, {N});
      return b;
    };
    const Tensor first = model.hidden(part({{0, 5}, {6, 14}}), ctx, &cache).value();
    CHECK(rapt::testing::max_difference(first.slice(0, 5), expected.slice(0, 5)) < 1e-5);
    CHECK(rapt::testing::max_difference(first.slice(5, 13), expected.slice(6, 14)) < 1e-5);
    const Tensor last = model.hidden(part({{5, 6}, {14, 15}}), ctx, &cache).value();
    CHECK(rapt::testing::max_difference(last.slice(0, 1), expected.slice(5, 6)) < 1e-5);
    CHECK(rapt::testing::max_difference(last.slice(1, 2), expected.slice(14, 15)) < 1e-5);
  }
}

TEST_CASE("one thread and two give the same bits") {
  const Batch batch = random_batch({12, 12, 5, 7}, 19, 2);
  GptConfig c = small();
  c.attention_dropout = c.residual_dropout = 0.1;
  std::vector<Tensor> gradients[2];
  const int before = thread_count();
  for (const int threads : {1, 2}) {
    set_thread_count(threads);
    Initializer init(4);
    Gpt model(c, init);
    Context ctx;
    ctx.training = true;
    backward(model.loss(batch, ctx));
    for (const Variable& v : variables_of(model)) gradients[threads - 1].push_back(v.grad());
  }
  set_thread_count(before);
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    CHECK(rapt::testing::max_difference(gradients[0][i], gradients[1][i]) == 0);
  }
}

TEST_CASE("accumulating small batches gives the gradient of the large one, dropout included") {
  GptConfig c = small();
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0.2;
  Initializer init(4, DType::kF64);
  Gpt model(c, init);
  const Batch large = random_batch({6, 6, 6, 6}, 19, 2);
  Context ctx;
  ctx.training = true;
  backward(model.loss(large, ctx, 1.0 / 24));
  std::vector<Tensor> expected;
  for (Variable v : variables_of(model)) {
    expected.push_back(v.grad().clone());
    v.clear_grad();
  }
  ctx.first_row = 0;
  for (const Dim half : {0, 1}) {
    Batch b;
    b.layout = pack_lengths(std::vector<Dim>{6, 6});
    b.tokens = large.tokens.slice(half * 12, half * 12 + 12);
    b.positions = large.positions.slice(half * 12, half * 12 + 12);
    b.target_rows = large.target_rows.slice(0, 12);
    b.targets = large.targets.slice(half * 12, half * 12 + 12);
    ctx.site = 0;
    backward(model.loss(b, ctx, 1.0 / 24));
    ctx.first_row += 12;
  }
  const auto variables = variables_of(model);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    CHECK(rapt::testing::max_difference(variables[i].grad(), expected[i]) < 1e-12);
  }
}

TEST_CASE("it overfits ten lines") {
  GptConfig c = small();
  c.width = 32;
  Initializer init(1);
  Gpt model(c, init);
  const Batch batch = random_batch(std::vector<Dim>(10, 12), 19, 6);
  auto variables = variables_of(model);
  double loss = 0;
  for (int step = 0; step < 300; ++step) {
    Context ctx;
    const Variable total = model.loss(batch, ctx, 1.0 / 120);
    loss = total.value().item();
    backward(total);
    for (Variable& v : variables) {  // plain gradient descent with a normalised step
      double norm = 0;
      for (const float g : v.grad().span<float>()) norm += static_cast<double>(g) * g;
      const auto rate = static_cast<float>(0.05 / (std::sqrt(norm) + 1e-3));
      for (Dim i = 0; i < v.value().size(); ++i) v.value().data<float>()[i] -= rate * v.grad().data<float>()[i];
      v.clear_grad();
    }
  }
  CHECK(loss < 0.5);
}

TEST_CASE("what cannot be is refused with the setting's name") {
  Initializer init(1);
  GptConfig c = small();
  c.heads = 3;
  CHECK_THROWS_WITH_AS(Gpt(c, init), "gpt: heads must divide width, got width 8 and heads 3", UsageError);
  c = small();
  c.layers = 0;
  CHECK_THROWS_WITH_AS(Gpt(c, init), "gpt: layers must be at least 1, got 0", UsageError);
  const Gpt model(small(), init);
  Context ctx;
  CHECK_THROWS_WITH_AS(model.hidden(random_batch({13}, 19, 1), ctx),
                       "gpt: a sequence of 13 tokens does not fit the context of 12; shorten it or raise --context",
                       ShapeError);
}
