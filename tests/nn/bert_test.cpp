#include "nn/models/bert.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "nn/models/bert_pretraining.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

// Two segments, every third word masked, half of the second segments random.
Batch pretraining_batch(const std::vector<Dim>& lengths, std::uint64_t seed) {
  Batch batch = random_batch(lengths, kSmallVocabulary, seed);
  batch.input.segments = halves(batch.input.layout);
  std::vector<std::int32_t> rows;
  for (std::int32_t row = 1; row < batch.input.tokens.size(); row += 3) rows.push_back(row);
  batch.targets.rows = Tensor::from(rows, {static_cast<Dim>(rows.size())});
  batch.targets.ids = random_ids({batch.targets.count()}, kSmallVocabulary, seed + 1);
  batch.labels = ClassLabels{random_ids({batch.input.layout.sequences()}, 2, seed + 2)};
  return batch;
}

LossShare share_of(const Batch& batch) {
  return {.targets = static_cast<double>(batch.targets.count()),
          .sequences = static_cast<double>(batch.input.layout.sequences())};
}

}  // namespace

TEST_CASE("the published sizes have the published numbers of parameters, pooler included") {
  struct Size {
    BertConfig config;
    Dim parameters;
  };
  for (const Size& size :
       {Size{BertConfig::tiny(), 4385920}, Size{BertConfig::mini(), 11170560}, Size{BertConfig::small(), 28763648},
        Size{BertConfig::medium(), 41373184}, Size{BertConfig::base(), 109482240}}) {
    CAPTURE(size.config.width);
    Initializer init = Initializer::unset();
    Bert model(size.config, init);
    CHECK(parameter_count(model) == size.parameters);
    CHECK(size.config.width == 64 * size.config.heads);
  }
}

TEST_CASE("weights start within two standard deviations, norms at one and biases at zero") {
  BertConfig c = small_bert();
  c.init_std = 0.02;
  c.vocabulary = 5000;
  Initializer init(1);
  Bert model(c, init);
  for (const NamedParameter& p : parameters_of(model)) {
    CAPTURE(p.name);
    double square = 0, largest = 0;
    for (const float x : p.variable.value().span<float>()) {
      largest = std::max(largest, std::abs(static_cast<double>(x)));
      square += static_cast<double>(x) * static_cast<double>(x);
      if (p.name.ends_with("gain")) CHECK(x == 1);
      if (p.name.ends_with("bias")) CHECK(x == 0);
    }
    // The pooler's weights are not truncated: tests/nn/task_network_test.cpp.
    if (p.name.ends_with("gain") || p.name.ends_with("bias") || p.name == "pooler.weight") continue;
    CHECK(largest <= 0.04 + 1e-8);
    // Truncation at two standard deviations multiplies the deviation by 0.8796.
    if (p.name == "tokens.weight")
      CHECK(std::sqrt(square / static_cast<double>(p.variable.value().size())) ==
            doctest::Approx(0.8796 * 0.02).epsilon(0.02));
  }
}

TEST_CASE("every token sees its whole sequence, and no other") {
  Initializer init(1);
  const Bert model(small_bert(), init);
  const NoGrad no_grad;
  const Batch batch = pretraining_batch({4, 9, 2}, 8);
  Context ctx;
  const Tensor before = model.states(batch, ctx).value().clone();
  Batch changed = batch;
  changed.input.tokens = batch.input.tokens.clone();
  changed.input.tokens.data<std::int32_t>()[12] =
      (batch.input.tokens.data<std::int32_t>()[12] + 1) % 19;  // the second's last
  const Tensor after = model.states(changed, ctx).value();
  for (Dim n = 0; n < 15; ++n) {
    CAPTURE(n);
    const double difference = max_difference(after.slice(n, n + 1), before.slice(n, n + 1));
    CHECK((difference > 1e-4) == (n >= 4 && n < 13));
  }
}

TEST_CASE("a sequence gives the same states alone and among others") {
  Initializer init(1);
  const Bert model(small_bert(), init);
  const NoGrad no_grad;
  const Batch batch = pretraining_batch({4, 9, 2}, 8);
  Context ctx;
  const Tensor together = model.states(batch, ctx).value().slice(4, 13);
  CHECK(max_difference(together, model.states({.input = part_of(batch.input, 1, 2)}, ctx).value()) < 1e-6);
}

TEST_CASE("the pooler is a dense layer and tanh on each sequence's first token") {
  Initializer init(1, DType::kF64);
  Bert model(small_bert(), init);
  std::map<std::string, Tensor> parameters;
  for (const NamedParameter& p : parameters_of(model)) parameters[p.name] = p.variable.value();
  parameters.at("pooler.bias").fill(0.3);
  const double* const weight = parameters.at("pooler.weight").data<double>();
  const NoGrad no_grad;
  const Batch batch = pretraining_batch({4, 9, 2}, 8);
  Context ctx;
  const Variable states = model.states(batch, ctx);
  const Tensor pooled = model.pooled(states, batch.input.layout).value();
  REQUIRE(pooled.shape() == Shape{3, 8});
  const Dim first[] = {0, 4, 13};
  for (Dim b = 0; b < 3; ++b) {
    for (Dim k = 0; k < 8; ++k) {
      double sum = 0.3;
      for (Dim c = 0; c < 8; ++c) sum += weight[8 * k + c] * states.value().data<double>()[8 * first[b] + c];
      CHECK(pooled.data<double>()[8 * b + k] == doctest::Approx(std::tanh(sum)).epsilon(1e-12));
    }
  }
}

TEST_CASE("missing segments mean the first segment") {
  Initializer init(1);
  const Bert model(small_bert(), init);
  const NoGrad no_grad;
  Batch batch = random_batch({4, 3}, 19, 8);
  Context ctx;
  const Tensor without = model.states(batch, ctx).value().clone();
  batch.input.segments = Tensor::zeros({7}, DType::kI32);
  CHECK(same_bits(model.states(batch, ctx).value(), without));
  batch.input.segments = halves(batch.input.layout);
  CHECK(max_difference(model.states(batch, ctx).value(), without) > 1e-3);
}

TEST_CASE("the gradients of both pretraining losses agree with central differences") {
  std::vector<BertConfig> configs(4, small_bert());
  configs[1].pooler = false;
  configs[1].activation = Activation::kGeluTanh;
  configs[2].hidden_dropout = configs[2].attention_dropout = 0.2;
  configs[3].activation = Activation::kSilu;
  configs[3].segments = 3;
  configs[3].feed_forward = 11;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    CAPTURE(i);
    Initializer init(7, DType::kF64);
    BertPretraining model(configs[i], init);
    const Batch batch = pretraining_batch({5, 1, 12}, 3);
    const GradcheckResult result = check_gradients(model, batch, {.targets = 3, .sequences = 2});
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("BERT gives the same bits recomputed and on two threads, and the same gradient in halves") {
  BertConfig c = small_bert();
  c.hidden_dropout = c.attention_dropout = 0.2;
  const Batch batch = pretraining_batch({6, 2, 9, 6}, 2);
  Initializer init(4);
  BertPretraining model(c, init);
  CHECK(same_when_recomputed(model, batch, share_of(batch)));
  CHECK(same_on_two_threads(model, batch, share_of(batch)));
  Initializer init64(4, DType::kF64);
  BertPretraining model64(c, init64);
  CHECK(difference_in_halves(model64, batch, share_of(batch)) < 1e-12);
}

TEST_CASE("BERT's scores agree with its loss, and its most probable words with its logits") {
  Initializer init(4, DType::kF64);
  const BertPretraining model(small_bert(), init);
  const Batch batch = pretraining_batch({6, 2, 9, 6}, 2);
  const BertPretraining::Scores scores = model.scores(batch);
  const Tensor logits = model.word_logits(batch.input, batch.targets.rows);
  const Dim M = batch.targets.count();
  REQUIRE(logits.shape() == Shape{M, 19});
  double words = 0, sentences = 0;
  for (Dim m = 0; m < M; ++m) {
    const auto row = logits.slice(m, m + 1).span<double>();
    CHECK(scores.predicted.data<std::int32_t>()[m] == std::ranges::max_element(row) - row.begin());
    words -= scores.log_probabilities.data<double>()[m];
  }
  REQUIRE(scores.next_sentence.shape() == Shape{4, 2});
  for (Dim b = 0; b < 4; ++b) {
    const double* const z = scores.next_sentence.data<double>() + 2 * b;
    const std::int32_t label = label_values(batch.labels).data<std::int32_t>()[b];
    sentences += std::log(std::exp(z[0]) + std::exp(z[1])) - z[label];
  }
  Context ctx;
  const NoGrad no_grad;
  CHECK(model.loss(batch, share_of(batch), ctx).value().item() ==
        doctest::Approx(words / static_cast<double>(M) + sentences / 4).epsilon(1e-12));
}

TEST_CASE("a batch without masked words has a loss, that of its sentences") {
  Initializer init(4, DType::kF64);
  BertPretraining model(small_bert(), init);
  Batch batch = pretraining_batch({6, 2}, 2);
  batch.targets = make_targets({}, {});
  const std::vector<Tensor> results = loss_and_gradients(model, batch, {.targets = 5, .sequences = 2});
  CHECK(results[0].item() > 0);
  CHECK(model.word_logits(batch.input, batch.targets.rows).shape() == Shape{0, 19});
  CHECK(model.scores(batch).predicted.size() == 0);
}

TEST_CASE("unsupported BERT settings are rejected with their names") {
  Initializer init(1);
  BertConfig c = small_bert();
  c.heads = 3;
  CHECK_THROWS_WITH_AS(Bert(c, init), "bert: heads must divide width, got width 8 and heads 3", UsageError);
  c = small_bert();
  c.segments = 0;
  CHECK_THROWS_WITH_AS(Bert(c, init), "bert: segments must be at least 1, got 0", UsageError);
  Context ctx;
  const BertPretraining model(small_bert(), init);
  CHECK_THROWS_WITH_AS(model.loss(random_batch({13}, 19, 1), {}, ctx),
                       "bert: a sequence of 13 tokens does not fit the context of 12; shorten it or raise --context",
                       ShapeError);
  CHECK_THROWS_WITH_AS(model.loss(random_batch({3}, 19, 1), {}, ctx),
                       "next sentence: the batch's labels must be classes [1] i32, got none", ShapeError);
  clear_tape();
  c = small_bert();
  c.pooler = false;
  const Bert encoder(c, init);
  const Batch batch = random_batch({3}, 19, 1);
  CHECK_THROWS_WITH_AS(encoder.pooled(encoder.states(batch, ctx), batch.input.layout),
                       "bert: a prediction for a whole sequence needs a pooler, which this network lacks",
                       std::invalid_argument);
  clear_tape();
}
