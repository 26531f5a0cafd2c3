#include "nn/models/transformer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "nn/models/language_model.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Batch three_pairs() { return random_pairs({5, 1, 12}, {4, 12, 1}, kSmallVocabulary, 3); }

LanguageModel network_of(const TransformerConfig& config, DType dtype = DType::kF32) {
  Initializer init(7, dtype);
  return LanguageModel(std::make_unique<Transformer>(config, init));
}

void set_dropouts(TransformerConfig& c, double p) {
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = c.activation_dropout = p;
}

}  // namespace

TEST_CASE("the transformer of the Multi30k recipe has 9,038,341 parameters, and the paper's base model 63 million") {
  TransformerConfig c;
  c.vocabulary = 5893;
  c.source_vocabulary = 7853;
  c.context = 100;
  c.width = 256;
  c.layers = 3;
  c.heads = 8;
  c.feed_forward = 512;
  c.positions = PositionKind::kLearned;
  c.tied_head = false;
  c.head_bias = HeadBias::kTrained;
  Initializer init = Initializer::unset();
  Transformer multi30k(c, init);
  CHECK(parameter_count(multi30k) == 9038341);

  Transformer base(TransformerConfig(), init);  // 37,000 shared entries
  CHECK(parameter_count(base) == 63082496);
}

TEST_CASE("new tables are normal with variance 1 / width, or 2 / (rows + width) by Glorot's rule") {
  const auto spread = [](const TransformerConfig& c, const std::string& name) {
    Initializer init(3);
    Transformer model(c, init);
    double squares = 0;
    Dim count = 0;
    for (const NamedParameter& p : parameters_of(model)) {
      if (p.name != name) continue;
      count = p.variable.value().size();
      for (const float x : p.variable.value().span<float>()) squares += static_cast<double>(x) * static_cast<double>(x);
    }
    REQUIRE(count > 0);
    return std::sqrt(squares / static_cast<double>(count));
  };
  TransformerConfig c = small_transformer();
  c.vocabulary = 4000;
  c.context = 500;
  c.width = 64;
  c.positions = PositionKind::kLearned;
  c.init_std = 0;
  CHECK(spread(c, "tokens.weight") == doctest::Approx(1.0 / 8).epsilon(0.02));
  CHECK(spread(c, "encoder_input.positions.weight") == doctest::Approx(1.0 / 8).epsilon(0.02));
  c.table_init = TableInit::kGlorot;
  CHECK(spread(c, "tokens.weight") == doctest::Approx(std::sqrt(2.0 / 4064)).epsilon(0.02));
  CHECK(spread(c, "encoder_input.positions.weight") == doctest::Approx(std::sqrt(2.0 / 564)).epsilon(0.02));
}

TEST_CASE("an encoder-decoder's gradients agree with central differences") {
  std::vector<TransformerConfig> configs(6, small_transformer());
  configs[1].norm = NormPlacement::kPre;
  configs[1].positions = PositionKind::kLearned;
  configs[1].position_offset = 2;
  configs[2].source_vocabulary = kSmallVocabulary;
  configs[2].tied_head = false;
  configs[2].head_bias = HeadBias::kTrained;
  configs[3].gated = true;
  configs[3].activation = Activation::kSilu;
  configs[3].norm = NormPlacement::kPre;
  configs[4].embedding_norm = true;
  configs[4].embedding_scale = false;
  configs[4].positions = PositionKind::kSinusoidalHalves;
  configs[4].bias = false;
  set_dropouts(configs[5], 0.3);
  for (std::size_t i = 0; i < configs.size(); ++i) {
    CAPTURE(i);
    configs[i].pad_token = -1;  // its row has no gradient through the embedding
    LanguageModel model = network_of(configs[i], DType::kF64);
    const GradcheckResult result = check_gradients(model, three_pairs(), {.label_smoothing = 0.1});
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("recomputing the blocks of both sides changes neither loss nor gradients") {
  TransformerConfig c = small_transformer();
  set_dropouts(c, 0.2);
  LanguageModel model = network_of(c);
  CHECK(same_when_recomputed(model, three_pairs(), {}));
}

TEST_CASE("an encoder-decoder gives the same bits on two threads") {
  TransformerConfig c = small_transformer();
  set_dropouts(c, 0.2);
  LanguageModel model = network_of(c);
  CHECK(same_on_two_threads(model, three_pairs(), {}));
}

TEST_CASE("an update of two halves of a batch is the update of the whole batch, dropout included") {
  TransformerConfig c = small_transformer();
  set_dropouts(c, 0.3);
  LanguageModel model = network_of(c, DType::kF64);
  const Batch batch = random_pairs({5, 3, 12, 2}, {4, 12, 1, 6}, kSmallVocabulary, 3);
  CHECK(difference_in_halves(model, batch, {}) < 1e-12);
}

TEST_CASE("a pair gives the same states alone and among others, and a target does not see its later tokens") {
  Initializer init(1);
  const Transformer model(small_transformer(), init);
  const NoGrad no_grad;
  Context ctx;
  const Batch batch = three_pairs();
  const Tensor together = model.states(batch, ctx).value();
  const Tensor alone = model.states(part_of(batch, 1, 2), ctx).value();
  CHECK(max_difference(together.slice(4, 16), alone) < 1e-5);

  Batch changed = part_of(batch, 1, 2);
  changed.input.tokens = changed.input.tokens.clone();
  changed.input.tokens.data<std::int32_t>()[11] = (changed.input.tokens.data<std::int32_t>()[11] + 1) % 19;
  const Tensor other = model.states(changed, ctx).value();
  CHECK(max_difference(other.slice(0, 11), alone.slice(0, 11)) == 0);
  CHECK(max_difference(other.slice(11, 12), alone.slice(11, 12)) > 1e-3);

  changed = part_of(batch, 1, 2);
  changed.source->tokens = changed.source->tokens.clone();
  changed.source->tokens.data<std::int32_t>()[0] = (changed.source->tokens.data<std::int32_t>()[0] + 1) % 19;
  CHECK(max_difference(model.states(changed, ctx).value().slice(0, 1), alone.slice(0, 1)) > 1e-3);
}

TEST_CASE("padding is not trained through its embedding") {
  TransformerConfig c = small_transformer();
  c.tied_head = false;
  c.pad_token = 6;
  LanguageModel model = network_of(c);
  Batch batch = three_pairs();
  batch.input.tokens.data<std::int32_t>()[2] = 6;
  batch.source->tokens.data<std::int32_t>()[1] = 6;
  const std::vector<Tensor> with_padding = loss_and_gradients(model, batch, {});
  const Tensor& table = with_padding[1];  // tokens.weight is the first parameter
  CHECK(max_difference(table.slice(6, 7), Tensor::zeros({1, 8})) == 0);
  CHECK(max_difference(
            table.slice(batch.input.tokens.data<std::int32_t>()[0], batch.input.tokens.data<std::int32_t>()[0] + 1),
            Tensor::zeros({1, 8})) > 0);
}

TEST_CASE("a fixed bias of the output layer is not trained") {
  TransformerConfig c = small_transformer();
  c.head_bias = HeadBias::kFixed;
  LanguageModel model = network_of(c);
  CHECK(parameters_of(model).back().name == "head.bias");
  CHECK_FALSE(loss_and_gradients(model, three_pairs(), {}).back().defined());
}

TEST_CASE("impossible sizes, a long text and a missing source are named") {
  Initializer init(1);
  TransformerConfig c = small_transformer();
  c.decoder_heads = 3;
  CHECK_THROWS_WITH_AS(Transformer(c, init), "transformer: heads must divide width, got width 8 and heads 3",
                       UsageError);
  c = small_transformer();
  c.positions = PositionKind::kRotary;
  CHECK_THROWS_WITH_AS(Transformer(c, init), "transformer: positions must be learned or sinusoidal, got rotary ones",
                       UsageError);
  const Transformer model(small_transformer(), init);
  Context ctx;
  CHECK_THROWS_WITH_AS(
      model.states(random_pairs({13}, {2}, 19, 1), ctx),
      "transformer: a sequence of 13 tokens does not fit the context of 12; shorten it or raise --context", ShapeError);
  CHECK_THROWS_WITH_AS(model.states(random_batch({3}, 19, 1), ctx),
                       "transformer: an encoder-decoder needs a source for each sequence, got none",
                       std::invalid_argument);
}
