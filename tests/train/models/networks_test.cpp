// Settings to networks and back, and copying weights from one network to another.
#include "train/models/networks.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "io/temporary_folder.h"
#include "nn/models/bert.h"
#include "support/random_tensor.h"
#include "support/thread_counts.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

TrainConfig small(const std::string& model, const std::string& task = "lm") {
  TrainConfig c;
  c.model = model;
  c.task = task;
  c.layers = 2;
  c.heads = 2;
  c.width = 8;
  c.context = 16;
  if (c.is_labelled() && task != "regress" && task != "qa" && task != "choice") c.labels = {"x", "y", "z"};
  return c;
}

AnyNetwork network(const TrainConfig& config, Dim vocabulary, std::uint64_t seed = 1) {
  Initializer init(seed);
  return AnyNetwork(network_config(config, vocabulary), init);
}

Tensor parameter(AnyNetwork& network, const std::string& name) {
  for (NamedParameter& p : parameters_of(network.module())) {
    if (p.name == name) return p.variable.value();
  }
  FAIL("no parameter ", name);
  return {};
}

// Settings that describe the same network.
TrainConfig described_by(const NetworkConfig& config) {
  TrainConfig c;
  c.task = task_word(config);
  take_network_settings(c, config);
  take_dropouts(c, config);
  return c;
}

std::vector<std::string> names_of(AnyNetwork& network) {
  std::vector<std::string> names;
  for (const NamedParameter& p : parameters_of(network.module())) {
    names.push_back(p.name + " " + p.variable.shape().to_string());
  }
  return names;
}

}  // namespace

TEST_CASE("a network made from settings gives the same settings, for every model and task") {
  const std::pair<const char*, std::vector<const char*>> kinds[] = {
      {"gpt1", {"lm", "classify", "regress", "multilabel", "choice"}},
      {"gpt2", {"lm", "classify", "regress", "multilabel", "tag", "qa", "choice"}},
      {"bert", {"mlm", "mlm-nsp", "classify", "regress", "multilabel", "tag", "qa", "choice", "embed"}}};
  for (const auto& [family, tasks] : kinds) {
    const std::string model = family;
    for (const char* task : tasks) {
      CAPTURE(model);
      CAPTURE(std::string(task));
      TrainConfig config = small(model, task);
      config.activation = "relu";
      config.norm_epsilon = 1e-7;
      config.feed_forward = 12;
      config.residual_dropout = 0.25;
      config.attention_dropout = 0.125;
      config.head_dropout = 0.5;
      AnyNetwork made = network(config, 11);
      CHECK(task_word(made.config()) == task);
      TrainConfig again = described_by(made.config());
      again.labels = config.labels;
      CHECK(again.model == model);
      CHECK(again.activation == "relu");
      CHECK(again.norm_epsilon == 1e-7);
      CHECK(again.residual_dropout == 0.25);
      CHECK(again.attention_dropout == 0.125);
      if (config.is_labelled()) CHECK(again.head_dropout == 0.5);
      AnyNetwork remade = network(again, 11);
      CHECK(names_of(made) == names_of(remade));
    }
  }
}

TEST_CASE("optional parts of a GPT are described as well") {
  TrainConfig config = small("gpt2");
  config.bias = false;
  config.tie = false;
  config.position = "rope";
  config.rotary_base = 500;
  config.rotary_share = 0.5;
  config.parallel_residual = true;
  config.attention_layer_scale = true;
  config.attention_scale = false;
  const TrainConfig again = described_by(network_config(config, 11));
  CHECK_FALSE(again.bias);
  CHECK_FALSE(again.tie);
  CHECK(again.position == "rope");
  CHECK(again.rotary_base == 500);
  CHECK(again.rotary_share == 0.5);
  CHECK(again.parallel_residual);
  CHECK(again.attention_layer_scale);
  CHECK_FALSE(again.attention_scale);
  TrainConfig bert = small("bert", "classify");
  bert.segments = 3;
  CHECK(described_by(network_config(bert, 11)).segments == 3);
  CHECK(described_by(network_config(small("bert", "tag"), 11)).pooler == false);
}

TEST_CASE("a task head has one output per label, and one output without labels") {
  CHECK(network_config(small("bert", "classify"), 11).task.outputs == 3);
  CHECK(network_config(small("bert", "regress"), 11).task.outputs == 1);
  CHECK(network_config(small("bert", "choice"), 11).task.head_width() == 1);
  CHECK(network_config(small("bert", "qa"), 11).task.head_width() == 2);
  TrainConfig none = small("bert", "classify");
  none.dropout = 0.2;
  CHECK(network_config(none, 11).task.dropout == 0.2);
  none.head_dropout = 0.3;
  CHECK(network_config(none, 11).task.dropout == 0.3);
}

TEST_CASE("a pretrained backbone's weights are copied under other names, and the heads stay new") {
  AnyNetwork pretrained = network(small("bert", "mlm-nsp"), 11, 1);
  AnyNetwork classifier = network(small("bert", "classify"), 11, 2);
  const Tensor head = parameter(classifier, "head.weight").clone();
  CHECK(copy_parameters(pretrained, classifier, true) == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(same_bits(parameter(classifier, "backbone.blocks.1.attention.qkv.weight"),
                  parameter(pretrained, "backbone.blocks.1.attention.qkv.weight")));
  CHECK(same_bits(parameter(classifier, "backbone.pooler.weight"), parameter(pretrained, "backbone.pooler.weight")));
  CHECK(same_bits(parameter(classifier, "head.weight"), head));

  AnyNetwork gpt = network(small("gpt2"), 11, 3);
  AnyNetwork with_head = network(small("gpt2", "classify"), 11, 4);
  CHECK(copy_parameters(gpt, with_head, false) == std::vector<std::string>{"head.weight"});
  CHECK(same_bits(parameter(with_head, "backbone.tokens.weight"), parameter(gpt, "tokens.weight")));
  CHECK(copy_parameters(with_head, gpt, true).empty());  // and back
}

TEST_CASE("new parts of a network are initialised with the standard deviation of the initial model") {
  TrainConfig config;
  config.model = "bert";
  config.task = "classify";
  config.labels = {"a", "b"};
  BertConfig start;
  start.init_std = 0.05;
  NetworkConfig network = network_config(config, 100);
  take_initial_spread(network, {.backbone = start, .objective = Objective::kNone});
  CHECK(network.task.init_std.std == 0.05);
  CHECK_FALSE(network.task.init_std.truncated);
  CHECK(network.backbone.init_std() == 0.05);
}

TEST_CASE("heads are copied if requested and equal") {
  AnyNetwork first = network(small("bert", "classify"), 11, 1), second = network(small("bert", "classify"), 11, 2);
  CHECK(copy_parameters(first, second, false) == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(copy_parameters(first, second, true).empty());
  CHECK(same_bits(parameter(second, "head.weight"), parameter(first, "head.weight")));
}

TEST_CASE("a vocabulary that has grown keeps its rows, and the new rows keep their initial values") {
  AnyNetwork gpt = network(small("gpt2"), 11, 1), grown = network(small("gpt2", "classify"), 14, 2);
  const Tensor fresh = parameter(grown, "backbone.tokens.weight").clone();
  copy_parameters(gpt, grown, false);
  const Tensor table = parameter(grown, "backbone.tokens.weight");
  CHECK(same_bits(table.slice(0, 11).clone(), parameter(gpt, "tokens.weight")));
  CHECK(same_bits(table.slice(11, 14).clone(), fresh.slice(11, 14).clone()));
}

TEST_CASE("a network of another size is rejected, naming what does not fit") {
  TrainConfig wide = small("bert", "classify");
  wide.width = 12;
  AnyNetwork a = network(small("bert", "mlm-nsp"), 11), b = network(wide, 11);
  CHECK(message_of<DataError>([&] { copy_parameters(a, b, false); }) ==
        "init: backbone.tokens.weight is [11, 8] there, the settings need [11, 12]");
  AnyNetwork large = network(small("bert", "mlm-nsp"), 12), small_one = network(small("bert", "classify"), 11);
  CHECK_THROWS_AS(copy_parameters(large, small_one, false), DataError);
}
