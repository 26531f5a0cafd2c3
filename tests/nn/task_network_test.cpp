#include "nn/models/task_network.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linear_cross_entropy.h"
#include "autograd/ops/sum.h"
#include "nn/models/any_network.h"
#include "nn/models/bert_pretraining.h"
#include "nn/models/language_model.h"
#include "nn/sentence_embedding.h"
#include "support/network_checks.h"
#include "support/small_networks.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const std::vector<Task> kTasks = {Task::kClassify, Task::kRegress,  Task::kMultilabel,
                                  Task::kTag,      Task::kQuestion, Task::kChoice};

Dim outputs_of(Task task) { return task == Task::kRegress ? 1 : 3; }

// Four sequences with targets for the task: two questions of two choices, tags of every second token.
Batch batch_for(Task task, std::uint64_t seed = 3) {
  Batch batch = random_batch({5, 2, 9, 4}, kSmallVocabulary, seed);
  const Dim B = 4, K = outputs_of(task);
  switch (task) {
    case Task::kClassify:
      batch.labels = ClassLabels{random_ids({B}, K, seed)};
      break;
    case Task::kRegress:
      batch.labels = NumberLabels{random_tensor({B, 1}, seed, DType::kF32)};
      break;
    case Task::kMultilabel:
      batch.labels = YesNoLabels{random_ids({B, K}, 2, seed).to(DType::kF32)};
      break;
    case Task::kTag:
      batch.targets.rows = Tensor::from<std::int32_t>({0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, {10});
      batch.targets.ids = random_ids({10}, K, seed);
      break;
    case Task::kQuestion:
      batch.labels = SpanLabels{Tensor::from<std::int32_t>({1, 3, 0, 1, 8, 8, 2, 3}, {B, 2})};
      break;
    case Task::kChoice:
      batch.labels = ChoiceLabels{Tensor::from<std::int32_t>({1, 0}, {2})};
      break;
  }
  return batch;
}

LossShare share_of(Task task, const Batch& batch) {
  return {.targets = static_cast<double>(batch.targets.count()),
          .sequences = task == Task::kChoice ? 2.0 : static_cast<double>(batch.input.layout.sequences())};
}

NetworkConfig bert_with(Task task, double dropout = 0) {
  BertConfig c = small_bert();
  c.hidden_dropout = c.attention_dropout = dropout;
  return with_task_head({.backbone = c}, task, outputs_of(task));
}

NetworkConfig gpt_with(bool first, Task task, double dropout = 0) {
  GptConfig c = small_gpt(first);
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = dropout;
  return with_task_head({.backbone = c}, task, outputs_of(task));
}

double log_sum_exp(const std::vector<double>& z) {
  double sum = 0;
  for (const double x : z) sum += std::exp(x);
  return std::log(sum);
}

// The task's mean loss, computed by definition from the head's output.
double loss_from_logits(Task task, const Tensor& logits, const Batch& batch) {
  const Dim rows = logits.shape()[0], K = logits.shape()[1];
  const auto at = [&](Dim row, Dim k) { return logits.data<double>()[row * K + k]; };
  const Tensor& labels = label_values(batch.labels);
  const auto label = [&](Dim i) { return labels.data<std::int32_t>()[i]; };
  const auto number = [&](Dim i) { return static_cast<double>(labels.data<float>()[i]); };
  double sum = 0;
  switch (task) {
    case Task::kClassify:
    case Task::kTag:
      for (Dim m = 0; m < rows; ++m) {
        std::vector<double> z;
        for (Dim k = 0; k < K; ++k) z.push_back(at(m, k));
        sum += log_sum_exp(z) - at(m, task == Task::kTag ? batch.targets.ids.data<std::int32_t>()[m] : label(m));
      }
      return sum / static_cast<double>(rows);
    case Task::kRegress:
      for (Dim b = 0; b < rows; ++b) sum += (at(b, 0) - number(b)) * (at(b, 0) - number(b));
      return sum / static_cast<double>(rows);
    case Task::kMultilabel:
      for (Dim i = 0; i < rows * K; ++i) {
        const double p = 1 / (1 + std::exp(-at(i / K, i % K)));
        sum -= number(i) * std::log(p) + (1 - number(i)) * std::log(1 - p);
      }
      return sum / static_cast<double>(rows * K);
    case Task::kQuestion:
      for (Dim b = 0; b < 4; ++b) {
        for (Dim k = 0; k < 2; ++k) {
          const auto offsets = batch.input.layout.offsets.data<std::int32_t>();
          std::vector<double> z;
          for (Dim n = offsets[b]; n < offsets[b + 1]; ++n) z.push_back(at(n, k));
          sum += log_sum_exp(z) - z[static_cast<std::size_t>(label(2 * b + k))];
        }
      }
      return sum / 8;
    case Task::kChoice:
      for (Dim q = 0; q < 2; ++q) sum += log_sum_exp({at(2 * q, 0), at(2 * q + 1, 0)}) - at(2 * q + label(q), 0);
      return sum / 2;
  }
  return NAN;
}

}  // namespace

TEST_CASE("each task's loss is the mean that its definition says, on every backbone") {
  for (const Task task : kTasks) {
    CAPTURE(name_of(task));
    for (const NetworkConfig& config : {bert_with(task), gpt_with(true, task), gpt_with(false, task)}) {
      Initializer init(5, DType::kF64);
      const AnyNetwork network(config, init);
      const auto* model = network.as<TaskNetwork>();
      REQUIRE(model != nullptr);
      const Batch batch = batch_for(task);
      const NoGrad no_grad;
      Context ctx;
      CHECK(model->loss(batch, share_of(task, batch), ctx).value().item() ==
            doctest::Approx(loss_from_logits(task, model->logits(batch), batch)).epsilon(1e-12));
    }
  }
}

TEST_CASE("the gradients of each task's loss agree with central differences, dropout included") {
  for (const Task task : kTasks) {
    CAPTURE(name_of(task));
    for (const NetworkConfig& config : {bert_with(task, 0.1), gpt_with(false, task, 0.1)}) {
      Initializer init(5, DType::kF64);
      AnyNetwork network(config, init);
      const Batch batch = batch_for(task);
      const GradcheckResult result = check_gradients(network.network(), batch, share_of(task, batch));
      CHECK_MESSAGE(result, result.message);
    }
  }
}

TEST_CASE("each task gives the same bits recomputed and on two threads, and the same gradient in halves") {
  for (const Task task : kTasks) {
    CAPTURE(name_of(task));
    const Batch batch = batch_for(task);
    Initializer init(5), init64(5, DType::kF64);
    AnyNetwork network(bert_with(task, 0.2), init), network64(bert_with(task, 0.2), init64);
    CHECK(same_when_recomputed(network.network(), batch, share_of(task, batch)));
    CHECK(same_on_two_threads(network.network(), batch, share_of(task, batch)));
    CHECK(difference_in_halves(network64.network(), batch, share_of(task, batch)) < 1e-12);
  }
}

TEST_CASE("GPT's auxiliary loss is added with its weight, through the same dropped token table") {
  for (const Task task : {Task::kClassify, Task::kChoice}) {
    Initializer init(5, DType::kF64);
    AnyNetwork network(gpt_with(true, task, 0.1), init);
    auto& model = *network.as<TaskNetwork>();
    const Batch batch = batch_for(task);
    LossShare share = share_of(task, batch);
    Context ctx{.seed = 1};
    {
      const NoGrad no_grad;
      const double alone = model.loss(batch, share, ctx).value().item();
      const auto pass = model.backbone().next_token()->states_and_head(batch, ctx);
      const double language = linear_cross_entropy(pass.states, pass.head, Variable(), batch.targets.rows,
                                                   batch.targets.ids, {.scale = 1 / share.targets})
                                  .value()
                                  .item();
      share.language_model = 0.5;
      CHECK(model.loss(batch, share, ctx).value().item() == doctest::Approx(alone + 0.5 * language).epsilon(1e-12));
    }
    const GradcheckResult result = check_gradients(model, batch, share);
    CHECK_MESSAGE(result, result.message);
  }
}

TEST_CASE("several numbers a sequence are regressed together") {
  Initializer init(5, DType::kF64);
  const AnyNetwork network(with_task_head({.backbone = small_bert()}, Task::kRegress, 2), init);
  Batch batch = batch_for(Task::kRegress);
  const Tensor numbers = random_tensor({4, 2}, 9, DType::kF32);
  batch.labels = NumberLabels{numbers};
  const NoGrad no_grad;
  Context ctx;
  const Tensor y = network.as<TaskNetwork>()->logits(batch);
  double sum = 0;
  for (Dim i = 0; i < 8; ++i) sum += std::pow(y.data<double>()[i] - static_cast<double>(numbers.data<float>()[i]), 2);
  CHECK(network.as<TaskNetwork>()->loss(batch, {.sequences = 4}, ctx).value().item() == doctest::Approx(sum / 8));
}

TEST_CASE("heads are what transformers' classes have") {
  for (const Task task : kTasks) {
    CAPTURE(name_of(task));
    const TaskConfig bert = task_config(task, 3, BertConfig{}), gpt = task_config(task, 3, GptConfig::gpt1());
    CHECK(bert.bias);
    CHECK(bert.dropout == (task == Task::kQuestion ? 0 : 0.1));
    CHECK(gpt.bias == (task == Task::kTag || task == Task::kQuestion || task == Task::kChoice));
    CHECK(gpt.dropout == (task == Task::kQuestion ? 0 : 0.1));
    CHECK(bert_with(task).backbone.as<BertConfig>()->pooler == (task != Task::kTag && task != Task::kQuestion));
  }
  CHECK(std::string(name_of(Task::kQuestion)) == "qa");
}

// Previously, they were truncated at two standard deviations, which leaves 0.88 of the spread of transformers' heads.
TEST_CASE(
    "new heads and poolers are initialised as in transformers: normal weights with the model's standard deviation, "
    "zero bias") {
  for (const double std : {0.02, 0.05}) {
    BertConfig bert = small_bert();
    GptConfig gpt = small_gpt();
    bert.width = gpt.width = 128;
    bert.init_std = gpt.init_std = std;
    for (const BackboneConfig& backbone : {BackboneConfig(bert), BackboneConfig(gpt)}) {
      Initializer init(3);
      AnyNetwork network(with_task_head({.backbone = backbone}, Task::kClassify, 100), init);
      for (const NamedParameter& p : parameters_of(network.module())) {
        if (!p.name.starts_with("head.") && !p.name.starts_with("backbone.pooler.")) continue;
        CAPTURE(p.name);
        double sum = 0, square = 0;
        Dim far = 0;
        for (const float x : p.variable.value().span<float>()) {
          sum += static_cast<double>(x);
          square += static_cast<double>(x) * static_cast<double>(x);
          if (std::abs(static_cast<double>(x)) > 2 * std) ++far;
        }
        const auto n = static_cast<double>(p.variable.value().size());
        if (p.name.ends_with("bias")) {
          CHECK(square == 0);
          continue;
        }
        CHECK(std::abs(sum / n) < 0.05 * std);  // 5 standard errors of 12,800 draws
        CHECK(std::sqrt(square / n) == doctest::Approx(std).epsilon(0.04));
        CHECK(static_cast<double>(far) / n == doctest::Approx(0.0455).epsilon(0.25));
      }
    }
  }
}

TEST_CASE("missing targets of a task are named") {
  const auto loss_of = [](const NetworkConfig& config, const Batch& batch, const LossShare& share) {
    Initializer init(5);
    const AnyNetwork network(config, init);
    const NoGrad no_grad;
    Context ctx;
    return network.as<TaskNetwork>()->loss(batch, share, ctx);
  };
  Batch batch = random_batch({3, 2, 4}, kSmallVocabulary, 1);
  CHECK_THROWS_WITH_AS(loss_of(bert_with(Task::kClassify), batch, {}),
                       "classify: the batch's labels must be classes [3] i32, got none", ShapeError);
  batch.labels = ClassLabels{Tensor::zeros({3}, DType::kI32)};
  CHECK_THROWS_WITH_AS(loss_of(bert_with(Task::kRegress), batch, {}),
                       "regress: the batch's labels must be numbers [3, 1] f32, got classes [3] i32", ShapeError);
  CHECK_THROWS_WITH_AS(
      loss_of(bert_with(Task::kMultilabel), batch, {}),
      "multilabel: the batch's labels must be yes or no for each label [3, 3] f32, got classes [3] i32", ShapeError);
  batch.labels = ChoiceLabels{Tensor::zeros({2}, DType::kI32)};
  CHECK_THROWS_WITH_AS(loss_of(bert_with(Task::kChoice), batch, {}),
                       "choice: all questions must have the same number of sequences, got 3 sequences and labels "
                       "of 2 questions",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      loss_of(bert_with(Task::kTag), batch, {.language_model = 0.5}),
      "task: a language-model loss needs a backbone that predicts the next token and a task other than "
      "tag, got an encoder",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      loss_of(gpt_with(true, Task::kTag), batch, {.language_model = 0.5}),
      "task: a language-model loss needs a backbone that predicts the next token and a task other than "
      "tag, got tag",
      std::invalid_argument);
  Initializer init(1);
  BertConfig without_pooler = small_bert();
  without_pooler.pooler = false;
  const TaskNetwork classifier(std::make_unique<Bert>(without_pooler, init), {.task = Task::kClassify}, init);
  Context ctx;
  CHECK_THROWS_WITH_AS(classifier.loss(batch, {}, ctx),
                       "bert: a prediction for a whole sequence needs a pooler, which this network lacks",
                       std::invalid_argument);
  CHECK_THROWS_AS(AnyNetwork(with_task_head({.backbone = small_bert()}, Task::kClassify, 0), init), UsageError);
}

TEST_CASE("any network matches its configuration, and its backbone is found by parameter names") {
  const std::vector<NetworkConfig> configs = {
      {.backbone = small_gpt(true), .objective = Objective::kNextToken},
      {.backbone = small_bert(), .objective = Objective::kNone},
      {.backbone = small_bert(), .objective = Objective::kMaskedWordsNextSentence},
      bert_with(Task::kTag),
      gpt_with(false, Task::kClassify)};
  for (std::size_t i = 0; i < configs.size(); ++i) {
    CAPTURE(i);
    Initializer init(5);
    AnyNetwork network(configs[i], init);
    CHECK((network.as<LanguageModel>() != nullptr) == (i == 0));
    CHECK((network.as<BertPretraining>() != nullptr) == (i == 2));
    CHECK((network.as<TaskNetwork>() != nullptr) == (i >= 3));
    CHECK((dynamic_cast<const Gpt*>(&network.backbone()) != nullptr) == (i == 0 || i == 4));
    CHECK((network.config().backbone.as<GptConfig>() != nullptr) == (i == 0 || i == 4));
    if (i != 1) {
      CHECK(&network.network().backbone() == &network.backbone());
    } else {
      CHECK_THROWS_WITH_AS(
          network.network(),
          "network: a backbone alone has nothing to learn; give it a head, for one of the tasks of --task", UsageError);
    }
    CHECK(network.backbone().vocabulary() == kSmallVocabulary);
    CHECK(parameters_of(network.module())[0].name == backbone_prefix(configs[i]) + std::string("tokens.weight"));
  }
  Initializer init(1);
  CHECK_THROWS_AS(AnyNetwork({.backbone = small_bert(), .objective = Objective::kNextToken}, init), UsageError);
  CHECK_THROWS_AS(AnyNetwork({.backbone = small_gpt(true), .objective = Objective::kMaskedWordsNextSentence}, init),
                  UsageError);
}

TEST_CASE("vectors of whole sequences are the same when computed without the other rows of the last layer") {
  const Batch batch = random_batch({5, 1, 4}, kSmallVocabulary, 3);
  for (const int kind : {0, 1, 2}) {
    CAPTURE(kind);
    Initializer init(5, DType::kF64);
    std::unique_ptr<Backbone> backbone;
    if (kind == 2) {
      backbone = std::make_unique<Bert>(small_bert(), init);
    } else {
      backbone = std::make_unique<Gpt>(small_gpt(kind == 0), init);
    }
    std::vector<Tensor> results[2];
    for (const bool shorter : {false, true}) {
      Context ctx;
      const Variable vectors = shorter ? backbone->sequence_vectors(batch, ctx)
                                       : backbone->pooled(backbone->states(batch, ctx), batch.input.layout);
      results[shorter] = {vectors.value()};
      backward(sum(vectors * Variable(random_tensor({3, 8}, 9))));
      for (NamedParameter& p : parameters_of(*backbone)) {
        results[shorter].push_back(p.variable.grad().clone());
        p.variable.clear_grad();
      }
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) CHECK(max_difference(results[0][i], results[1][i]) < 1e-12);
  }
}

TEST_CASE("a sentence vector is the mean of its states or one of them, optionally normalised") {
  Initializer init(5);
  const Bert model(small_bert(), init);
  const Batch batch = random_batch({5, 1, 4}, kSmallVocabulary, 3);
  const NoGrad no_grad;
  Context ctx;
  const Tensor states = model.states(batch, ctx).value();
  const auto vectors = [&](Pooling pooling) { return sentence_embeddings(model, batch.input, pooling, false); };
  CHECK(max_difference(vectors(Pooling::kFirst).slice(2, 3), states.slice(6, 7)) == 0);
  CHECK(max_difference(vectors(Pooling::kLast).slice(0, 1), states.slice(4, 5)) == 0);
  for (Dim c = 0; c < 8; ++c) {
    double sum = 0;
    for (Dim n = 0; n < 5; ++n) sum += static_cast<double>(states.data<float>()[n * 8 + c]);
    CHECK(vectors(Pooling::kMean).data<float>()[c] == doctest::Approx(sum / 5).epsilon(1e-5));
  }
  const Tensor unit = sentence_embeddings(model, batch.input, Pooling::kMean, true);
  for (Dim b = 0; b < 3; ++b) {
    double square = 0;
    for (const float x : unit.slice(b, b + 1).span<float>()) square += static_cast<double>(x) * static_cast<double>(x);
    CHECK(square == doctest::Approx(1).epsilon(1e-5));
  }
}
