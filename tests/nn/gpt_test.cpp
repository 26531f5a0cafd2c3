#include "nn/models/gpt.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "nn/models/language_model.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

GptConfig small() { return of_size({}, GptConfig()); }

}  // namespace

TEST_CASE("GPT-2 has 124,439,808 parameters and GPT-1 116,534,784") {
  Initializer init = Initializer::unset();
  Gpt gpt2(GptConfig::gpt2(), init);
  CHECK(parameter_count(gpt2) == 124439808);
  Gpt gpt1(GptConfig::gpt1(), init);
  CHECK(parameter_count(gpt1) == 116534784);
}

TEST_CASE("the whole network's gradients agree with central differences") {
  std::vector<GptConfig> configs(7, small());
  configs[1].norm = NormPlacement::kPost;
  configs[2].tied_head = false;
  configs[2].bias = false;
  configs[3].positions = PositionKind::kRotary;
  configs[4].positions = PositionKind::kSinusoidal;
  configs[4].activation = Activation::kSilu;
  configs[5].norm = NormPlacement::kPost;
  configs[5].dropout_on_table = true;
  configs[5].embedding_dropout = configs[5].attention_dropout = configs[5].residual_dropout = 0.3;
  configs[6].positions = PositionKind::kRotary;
  configs[6].rotary_share = 0.5;
  configs[6].parallel_residual = true;
  configs[6].residual_dropout = 0.3;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    CAPTURE(i);
    configs[i].init_std = 0.3;
    Initializer init(7, DType::kF64);
    LanguageModel model(std::make_unique<Gpt>(configs[i], init));
    const Batch batch = random_batch({5, 1, 12}, 19, 3);
    const GradcheckResult result = check_gradients(model, batch, {});
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("recomputing blocks changes neither loss nor gradients") {
  GptConfig c = small();
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0.2;
  Initializer init(3);
  LanguageModel model(std::make_unique<Gpt>(c, init));
  CHECK(same_when_recomputed(model, random_batch({7, 12, 3}, 19, 5), {}));
}

TEST_CASE("a sequence gives the same states alone and among others") {
  Initializer init(1);
  const Gpt model(small(), init);
  const NoGrad no_grad;
  const Stream all = random_batch({4, 9, 2}, 19, 8).input;
  Context ctx;
  const Tensor together = model.states({.input = all}, ctx).value().slice(4, 13);
  CHECK(max_difference(together, model.states({.input = part_of(all, 1, 2)}, ctx).value()) < 1e-6);
}

TEST_CASE("token by token with a cache gives the states of the whole sequence") {
  for (const PositionKind positions : {PositionKind::kLearned, PositionKind::kRotary, PositionKind::kSinusoidal}) {
    GptConfig c = small();
    c.positions = positions;
    c.parallel_residual = positions == PositionKind::kRotary;
    Initializer init(1);
    const Gpt model(c, init);
    const NoGrad no_grad;
    const Stream whole = random_batch({6, 9}, 19, 8).input;
    Context ctx;
    const Tensor expected = model.states({.input = whole}, ctx).value();
    KeyValueCache cache({.layers = 2, .sequences = 2, .width = 8});
    // The first 5 and 8 tokens together, then the last one of each.
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
      Stream stream = make_stream(lengths, tokens);
      stream.positions = Tensor::from(places, {static_cast<Dim>(places.size())});
      return stream;
    };
    const Tensor first = model.states(part({{0, 5}, {6, 14}}), ctx, cache).value();
    CHECK(max_difference(first.slice(0, 5), expected.slice(0, 5)) < 1e-5);
    CHECK(max_difference(first.slice(5, 13), expected.slice(6, 14)) < 1e-5);
    const Tensor last = model.states(part({{5, 6}, {14, 15}}), ctx, cache).value();
    CHECK(max_difference(last.slice(0, 1), expected.slice(5, 6)) < 1e-5);
    CHECK(max_difference(last.slice(1, 2), expected.slice(14, 15)) < 1e-5);
  }
}

TEST_CASE("columns that are not rotated do not depend on the position") {
  GptConfig c = small();
  c.positions = PositionKind::kRotary;
  c.rotary_share = 0.5;
  c.layers = 1;
  Initializer init(1);
  Gpt model(c, init);
  // Without the first two of each head's four columns, queries and keys contain only columns that are not rotated.
  for (NamedParameter& p : parameters_of(model)) {
    if (p.name != "blocks.0.attention.qkv.weight") continue;
    for (const Dim row : {0, 1, 4, 5, 8, 9, 12, 13}) {
      Tensor turned = p.variable.value().slice(row, row + 1);
      std::ranges::fill(turned.span<float>(), 0.0F);
    }
  }
  const NoGrad no_grad;
  const Stream near = random_batch({6}, 19, 8).input;
  Stream far = near;
  far.positions = Tensor::from(std::vector<std::int32_t>{0, 2, 5, 6, 9, 11}, {6});
  Context ctx;
  CHECK(max_difference(model.states({.input = near}, ctx).value(), model.states({.input = far}, ctx).value()) == 0);
  c.rotary_share = 0.25;
  CHECK_THROWS_WITH_AS(check(c), "gpt: rotary positions must rotate an even number of a head's columns, got 1 of 4",
                       UsageError);
}

TEST_CASE("a parallel residual adds the outputs of both sublayers for the block's input") {
  const NoGrad no_grad;
  const Stream stream = random_batch({5, 3}, 19, 8).input;
  const Tensor x = random_tensor({8, 8}, 5);
  // The block without the sublayer whose output projection is set to zero.
  const auto block = [&](const std::string& silenced) {
    Initializer init(1, DType::kF64);
    TransformerBlock b({.width = 8,
                        .heads = 2,
                        .inner = 32,
                        .norm = NormPlacement::kPre,
                        .parallel = true,
                        .mask = AttentionMask::kCausal,
                        .std = 0.3,
                        .out_std = 0.3},
                       init);
    for (NamedParameter& p : parameters_of(b)) {
      if (p.name == silenced) std::ranges::fill(p.variable.value().span<double>(), 0.0);
    }
    Context ctx;
    return b.forward(Variable(x), stream, ctx).value();
  };
  const Tensor both = block(""), attention = block("feed_forward.down.weight"),
               feed_forward = block("attention.out.weight");
  CHECK(max_difference(attention, x) > 0.01);
  CHECK(max_difference(feed_forward, x) > 0.01);
  for (Dim i = 0; i < x.size(); ++i) {
    const auto at = [i](const Tensor& t) { return t.data<double>()[i]; };
    CHECK(at(both) == doctest::Approx(at(attention) + at(feed_forward) - at(x)).epsilon(1e-12));
  }
}

TEST_CASE("one thread and two give the same bits") {
  GptConfig c = small();
  c.attention_dropout = c.residual_dropout = 0.1;
  Initializer init(4);
  LanguageModel model(std::make_unique<Gpt>(c, init));
  CHECK(same_on_two_threads(model, random_batch({12, 12, 5, 7}, 19, 2), {}));
}

TEST_CASE("accumulating small batches gives the gradient of the large one, dropout included") {
  GptConfig c = small();
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0.2;
  Initializer init(4, DType::kF64);
  LanguageModel model(std::make_unique<Gpt>(c, init));
  CHECK(difference_in_halves(model, random_batch({6, 2, 9, 6}, 19, 2), {.targets = 23}) < 1e-12);
}

TEST_CASE("GPT-1 drops entries of its token table, and the tied head sees the same ones dropped") {
  GptConfig c = small();
  c.norm = NormPlacement::kPost;
  c.dropout_on_table = true;
  c.embedding_dropout = 0.5;
  Initializer init(4);
  const Gpt model(c, init);
  const NoGrad no_grad;
  const Batch batch = random_batch({5}, 19, 2);
  const auto zeros_of_head = [&](bool training) {
    Context ctx{.training = training};
    const Tensor head = model.states_and_head(batch, ctx).head.value();
    return std::ranges::count(head.span<float>(), 0.0f);
  };
  CHECK(zeros_of_head(false) == 0);
  CHECK(zeros_of_head(true) > 19 * 8 / 3);
  CHECK(zeros_of_head(true) < 19 * 8 * 2 / 3);
}

TEST_CASE("it overfits ten lines") {
  GptConfig c = small();
  c.width = 32;
  Initializer init(1);
  LanguageModel model(std::make_unique<Gpt>(c, init));
  const Batch batch = random_batch(std::vector<Dim>(10, 12), 19, 6);
  auto variables = variables_of(model);
  double loss = 0;
  for (int step = 0; step < 300; ++step) {
    Context ctx;
    const Variable total = model.loss(batch, {.targets = 120}, ctx);
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

TEST_CASE("impossible settings are rejected with their names") {
  Initializer init(1);
  GptConfig c = small();
  c.heads = 3;
  CHECK_THROWS_WITH_AS(Gpt(c, init), "gpt: heads must divide width, got width 8 and heads 3", UsageError);
  c = small();
  c.layers = 0;
  CHECK_THROWS_WITH_AS(Gpt(c, init), "gpt: layers must be at least 1, got 0", UsageError);
  const Gpt model(small(), init);
  Context ctx;
  CHECK_THROWS_WITH_AS(model.states(random_batch({13}, 19, 1), ctx),
                       "gpt: a sequence of 13 tokens does not fit the context of 12; shorten it or raise --context",
                       ShapeError);
}
