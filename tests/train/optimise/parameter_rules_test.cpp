// Frozen parameters and learning rates: the rules of --freeze, --layer-rate-decay and --lora-rank, and that training
// follows them.
#include "train/optimise/parameter_rules.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/temporary_folder.h"
#include "support/random_batch.h"
#include "support/thread_counts.h"
#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/models/networks.h"
#include "train/settings/config_file.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

using Names = std::vector<std::string>;

TrainConfig small(const std::string& model, const std::string& task) {
  TrainConfig c;
  c.model = model;
  c.task = task;
  c.layers = 3;
  c.heads = 2;
  c.width = 8;
  c.context = 16;
  c.dropout = 0.1;
  c.batch = 4;
  c.learning_rate = 1e-2;
  c.steps = 10;
  if (c.is_labelled()) c.labels = {"x", "y", "z"};
  return c;
}

AnyNetwork network(const TrainConfig& config) {
  Initializer init(1);
  return AnyNetwork(network_config(config, 19), init);
}

// The names that the rules freeze.
Names frozen(const TrainConfig& config) {
  AnyNetwork made = network(config);
  const ParameterRules rules = parameter_rules(config, made.module());
  Names names;
  for (const NamedParameter& p : parameters_of(made.module())) {
    if (rules.frozen && rules.frozen(p.name)) names.push_back(p.name);
  }
  return names;
}

Names frozen(TrainConfig config, const Names& patterns) {
  config.freeze = patterns;
  return frozen(config);
}

bool all_of(const Names& names, const std::string& begin) {
  return std::ranges::all_of(names, [&](const std::string& name) { return name.starts_with(begin); });
}

// Random sequences with classes.
TrainingData data_of(const TrainConfig& config) {
  TrainingData data;
  data.train = [classes = static_cast<Dim>(config.labels.size())](std::int64_t first, Dim count) {
    Batch batch =
        random_batch(std::vector<Dim>(static_cast<std::size_t>(count), 6), 19, static_cast<std::uint64_t>(first) + 1);
    batch.labels = ClassLabels{random_ids({count}, classes, static_cast<std::uint64_t>(first) + 1)};
    return batch;
  };
  data.samples_per_epoch = 40;
  data.tokens_per_sample = 6;
  return data;
}

std::map<std::string, Tensor> values_of(AnyNetwork& network) {
  std::map<std::string, Tensor> values;
  for (const NamedParameter& p : parameters_of(network.module())) values[p.name] = p.variable.value().clone();
  return values;
}

CheckpointTexts texts_of(const TrainConfig& config) {
  return {.config = to_toml(config), .tokenizers = {}, .manifest = "{}"};
}

}  // namespace

TEST_CASE("embeddings, the backbone, blocks by number and names with * can be frozen") {
  const TrainConfig bert = small("bert", "classify");
  CHECK(frozen(bert, {"embeddings"}) == Names{"backbone.tokens.weight", "backbone.positions.weight",
                                              "backbone.segments.weight", "backbone.norm.gain", "backbone.norm.bias"});
  const Names backbone = frozen(bert, {"backbone"});
  AnyNetwork made = network(bert);
  CHECK(backbone.size() + 2 == parameters_of(made.module()).size());  // all except the head's weight and bias
  CHECK(all_of(backbone, "backbone."));
  const Names block = frozen(bert, {"1"});
  CHECK(block.size() == 12);
  CHECK(all_of(block, "backbone.blocks.1."));
  CHECK(frozen(bert, {"0-1"}).size() == 24);
  CHECK(frozen(bert, {"0", "2"}).size() == 24);
  CHECK(frozen(bert, {"1-9"}).size() == 24);  // as many as exist
  CHECK(frozen(bert, {"*.attention.qkv.weight"}) == Names{"backbone.blocks.0.attention.qkv.weight",
                                                          "backbone.blocks.1.attention.qkv.weight",
                                                          "backbone.blocks.2.attention.qkv.weight"});
  CHECK(frozen(bert, {"head.bias"}) == Names{"head.bias"});
  CHECK(frozen(bert, {"embeddings", "0-2"}).size() == 5 + 36);
  CHECK(frozen(bert).empty());
}

TEST_CASE("a GPT's final norm is not an embedding, and blocks are found without a backbone") {
  CHECK(frozen(small("gpt2", "lm"), {"embeddings"}) == Names{"tokens.weight", "positions.weight"});
  CHECK(all_of(frozen(small("gpt2", "lm"), {"2"}), "blocks.2."));
  CHECK(frozen(small("gpt2", "classify"), {"embeddings"}) ==
        Names{"backbone.tokens.weight", "backbone.positions.weight"});
}

TEST_CASE("a pattern that matches nothing is rejected with the existing names") {
  CHECK(message_of<UsageError>([] {
          frozen(small("bert", "classify"), {"embeddings", "3"});
        }) ==
        "--freeze 3 matches no parameter of this network; try embeddings, backbone, blocks from 0 to 2 (0-2), or a "
        "name such "
        "as head.bias");
  CHECK_THROWS_AS(frozen(small("bert", "classify"), {"blocks"}), UsageError);
  CHECK_THROWS_AS(frozen(small("bert", "classify"), {""}), UsageError);
  TrainConfig everything = small("bert", "classify");
  everything.freeze = {"*"};
  AnyNetwork made = network(everything);
  CHECK(message_of<UsageError>([&] { Trainer(everything, made.network(), data_of(everything), 10); }) ==
        "train: every parameter is frozen; leave some of them trainable");
}

TEST_CASE("each block has a lower learning rate than the one above it") {
  TrainConfig config = small("bert", "classify");
  config.layer_rate_decay = 0.5;
  AnyNetwork bert = network(config);
  const ParameterRules rules = parameter_rules(config, bert.module());
  CHECK(rules.rate("head.weight") == 1);
  CHECK(rules.rate("backbone.pooler.weight") == 1);
  CHECK(rules.rate("backbone.blocks.2.norm1.gain") == 1);
  CHECK(rules.rate("backbone.blocks.1.norm1.gain") == 0.5);
  CHECK(rules.rate("backbone.blocks.0.attention.qkv.weight") == 0.25);
  CHECK(rules.rate("backbone.tokens.weight") == 0.125);
  CHECK(rules.rate("backbone.norm.bias") == 0.125);
  TrainConfig gpt = small("gpt2", "lm");
  gpt.layer_rate_decay = 0.5;
  AnyNetwork made = network(gpt);
  CHECK(parameter_rules(gpt, made.module()).rate("norm.gain") == 1);  // above the blocks
  CHECK(parameter_rules(gpt, made.module()).rate("tokens.weight") == 0.125);
  gpt.layer_rate_decay = 1;
  CHECK_FALSE(parameter_rules(gpt, made.module()).rate);
}

TEST_CASE("an update changes parameters by their share of the learning rate") {
  // Plain gradient descent, so that a step is proportional to the rate.
  TrainConfig config = small("bert", "classify");
  config.optimizer = "sgd";
  config.weight_decay = 0;
  config.clip = 0;
  config.schedule = "constant";
  AnyNetwork plain = network(config), decayed = network(config);
  const auto before = values_of(plain);
  Trainer(config, plain.network(), data_of(config), 10).update();
  config.layer_rate_decay = 0.5;
  Trainer(config, decayed.network(), data_of(config), 10).update();
  const auto a = values_of(plain), b = values_of(decayed);
  const auto step = [&](const std::map<std::string, Tensor>& after, const std::string& name) {
    return static_cast<double>(after.at(name).data<float>()[0]) - static_cast<double>(before.at(name).data<float>()[0]);
  };
  for (const auto& [parameter, share] : {std::pair<std::string, double>{"head.weight", 1},
                                         {"backbone.blocks.1.norm2.bias", 0.5},
                                         {"backbone.blocks.0.norm2.bias", 0.25}}) {
    const std::string& name = parameter;
    CAPTURE(name);
    CHECK(step(a, name) != 0);
    CHECK(step(b, name) == doctest::Approx(share * step(a, name)).epsilon(1e-4));
  }
}

TEST_CASE("frozen parameters keep their bits while others change, and have no moments") {
  TrainConfig config = small("bert", "classify");
  config.freeze = {"embeddings", "0-1"};
  AnyNetwork made = network(config);
  const auto before = values_of(made);
  Trainer trainer(config, made.network(), data_of(config), 10);
  for (int i = 0; i < 3; ++i) trainer.update();
  const auto after = values_of(made);
  Dim trained = 0;
  for (const FlatParameters::Entry& entry : trainer.parameters().entries()) {
    CAPTURE(entry.name);
    const bool expected = entry.name.starts_with("backbone.blocks.2.") || entry.name.starts_with("backbone.pooler.") ||
                          entry.name.starts_with("head.");
    CHECK(entry.frozen != expected);
    CHECK(same_bits(before.at(entry.name), after.at(entry.name)) == entry.frozen);
    if (!entry.frozen) trained += entry.variable.value().size();
  }
  for (const Optimizer::State& state : trainer.optimizer().state()) {
    CHECK(state.values.size() < trained + 16 * static_cast<Dim>(after.size()));
  }
  CHECK(trainer.optimizer().state().size() == 2);
}

TEST_CASE("a run with frozen parameters resumes as if it had never stopped") {
  const TemporaryFolder folder;
  TrainConfig config = small("bert", "classify");
  config.freeze = {"backbone.tokens.weight", "0", "head.bias"};
  config.layer_rate_decay = 0.8;
  AnyNetwork whole = network(config), first = network(config);
  Trainer one(config, whole.network(), data_of(config), 10);
  for (int i = 0; i < 6; ++i) one.update();
  {
    Trainer half(config, first.network(), data_of(config), 10);
    for (int i = 0; i < 3; ++i) half.update();
    save_checkpoint(folder / "a.h5", half, half.whole_state(), texts_of(config));
  }
  const CheckpointFile file(folder / "a.h5");
  CHECK(file.find_tensor("model/backbone.tokens.weight") != nullptr);
  CHECK(file.find_tensor("optimizer/m/backbone.tokens.weight") == nullptr);
  CHECK(file.find_tensor("optimizer/m/backbone.positions.weight") != nullptr);
  const std::unique_ptr<AnyNetwork> second = network_of(file);
  Trainer rest(config, second->network(), data_of(config), 10);
  restore(rest, file);
  for (int i = 0; i < 3; ++i) rest.update();
  const auto a = values_of(whole), b = values_of(*second);
  for (const auto& parameter : a) CHECK_MESSAGE(same_bits(parameter.second, b.at(parameter.first)), parameter.first);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(same_bits(one.optimizer().state()[i].values, rest.optimizer().state()[i].values));
  }
}
