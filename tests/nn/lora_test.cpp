#include "nn/lora.h"

#include <doctest/doctest.h>

#include <map>

#include "nn/models/any_network.h"
#include "nn/models/task_network.h"
#include "support/network_checks.h"
#include "support/small_networks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

const LoraOptions kEverywhere{
    .rank = 2, .alpha = 6, .query = true, .key = true, .value = true, .output = true, .up = true, .down = true};

AnyNetwork classifier(bool gpt, const LoraOptions& lora, DType dtype = DType::kF32) {
  Initializer init(1, dtype);
  const BackboneConfig backbone = gpt ? BackboneConfig(small_gpt(false, lora)) : BackboneConfig(small_bert(lora));
  return AnyNetwork(with_task_head({.backbone = backbone}, Task::kClassify, 3), init);
}

bool is_adapter(const std::string& name) { return name.find(".lora.") != std::string::npos; }

// Sets adapters to values as if they had been trained.
void fill_adapters(Module& network) {
  std::uint64_t seed = 100;
  for (NamedParameter& p : parameters_of(network)) {
    if (is_adapter(p.name)) {
      p.variable.value().copy_from(random_tensor(p.variable.shape(), ++seed, p.variable.dtype(), -0.3, 0.3));
    }
  }
}

Batch labelled_batch(std::uint64_t seed = 3) {
  Batch batch = random_batch({5, 2, 9, 4}, 19, seed);
  batch.labels = ClassLabels{random_ids({4}, 3, seed)};
  return batch;
}

constexpr LossShare kShare{.sequences = 4};

}  // namespace

TEST_CASE("adapters are named after their matrix") {
  AnyNetwork network = classifier(false, kEverywhere);
  std::map<std::string, Shape> adapters;
  for (const NamedParameter& p : parameters_of(network.module())) {
    if (is_adapter(p.name)) adapters.emplace(p.name, p.variable.shape());
  }
  CHECK(adapters.size() == 2 * 6 * 2);
  const std::string block = "backbone.blocks.1.";
  for (const char* part : {"query", "key", "value"}) {
    CHECK(adapters.at(block + "attention.qkv.lora." + part + ".a") == Shape{2, 8});
    CHECK(adapters.at(block + "attention.qkv.lora." + part + ".b") == Shape{8, 2});
  }
  CHECK(adapters.at(block + "attention.out.lora.a") == Shape{2, 8});
  CHECK(adapters.at(block + "feed_forward.up.lora.b") == Shape{32, 2});
  CHECK(adapters.at(block + "feed_forward.down.lora.a") == Shape{2, 32});

  AnyNetwork some = classifier(true, {.rank = 4, .query = true, .value = true});
  std::size_t found = 0;
  for (const NamedParameter& p : parameters_of(some.module())) found += is_adapter(p.name) ? 1 : 0;
  CHECK(found == 2 * 2 * 2);
  AnyNetwork none = classifier(true, {.query = true});  // rank 0
  for (const NamedParameter& p : parameters_of(none.module())) CHECK_FALSE(is_adapter(p.name));
}

TEST_CASE("new adapters add nothing: a network with them computes the same as without") {
  for (const bool gpt : {true, false}) {
    AnyNetwork plain = classifier(gpt, {}), adapted = classifier(gpt, kEverywhere);
    std::map<std::string, Variable> adapted_parameters;
    for (NamedParameter& p : parameters_of(adapted.module())) adapted_parameters.emplace(p.name, p.variable);
    for (const NamedParameter& p : parameters_of(plain.module())) {
      adapted_parameters.at(p.name).value().copy_from(p.variable.value());
    }
    const Tensor a = plain.as<TaskNetwork>()->logits(labelled_batch());
    const Tensor b = adapted.as<TaskNetwork>()->logits(labelled_batch());
    CHECK(max_difference(a, b) < 1e-6);
    fill_adapters(adapted.module());
    CHECK(max_difference(a, adapted.as<TaskNetwork>()->logits(labelled_batch())) > 1e-2);
  }
}

TEST_CASE("merging adapters gives a plain network that computes the same") {
  for (const bool gpt : {true, false}) {
    AnyNetwork network = classifier(gpt, kEverywhere), plain = classifier(gpt, {});
    fill_adapters(network.module());
    const Tensor before = network.as<TaskNetwork>()->logits(labelled_batch());
    CHECK(network.merge_adapters() == 12);
    CHECK(max_difference(before, network.as<TaskNetwork>()->logits(labelled_batch())) < 1e-5);
    const auto ours = parameters_of(network.module()), theirs = parameters_of(plain.module());
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i].name == theirs[i].name);
    CHECK(network.merge_adapters() == 0);
    const BackboneConfig& backbone = network.config().backbone;
    CHECK((gpt ? backbone.as<GptConfig>()->lora : backbone.as<BertConfig>()->lora) == LoraOptions{});
  }
}

TEST_CASE("gradients through adapters agree with central differences, dropout and activation included") {
  LoraOptions lora = kEverywhere;
  lora.dropout = 0.3;
  for (const bool gpt : {true, false}) {
    AnyNetwork network = classifier(gpt, lora, DType::kF64);
    fill_adapters(network.module());
    const GradcheckResult result = check_gradients(network.network(), labelled_batch(), kShare);
    CAPTURE(result.message);
    CHECK(result.passed);
  }
}

TEST_CASE("adapters give the same bits recomputed and on two threads, and the same gradients in halves") {
  LoraOptions lora = kEverywhere;
  lora.dropout = 0.3;
  AnyNetwork network = classifier(false, lora);
  fill_adapters(network.module());
  Network& trained = network.network();
  CHECK(same_when_recomputed(trained, labelled_batch(), kShare));
  CHECK(same_on_two_threads(trained, labelled_batch(), kShare));
  CHECK(difference_in_halves(trained, labelled_batch(), kShare) < 1e-5);
}

TEST_CASE("nothing is computed for frozen matrices, and the adapters' gradients are unchanged") {
  for (const bool recompute : {false, true}) {
    AnyNetwork all = classifier(false, kEverywhere), adapters_only = classifier(false, kEverywhere);
    fill_adapters(all.module());
    fill_adapters(adapters_only.module());
    for (NamedParameter& p : parameters_of(adapters_only.module())) {
      if (!is_adapter(p.name) && !p.name.starts_with("head.")) p.variable.freeze();
    }
    Context ctx;
    ctx.training = true;
    ctx.recompute = recompute;
    const std::vector<Tensor> wanted = loss_and_gradients(all.network(), labelled_batch(), kShare, ctx);
    const std::vector<Tensor> got = loss_and_gradients(adapters_only.network(), labelled_batch(), kShare, ctx);
    const auto parameters = parameters_of(all.module());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CAPTURE(parameters[i].name);
      const bool learns = is_adapter(parameters[i].name) || parameters[i].name.starts_with("head.");
      CHECK(got[i + 1].defined() == learns);
      if (learns) CHECK(same_bits(got[i + 1], wanted[i + 1]));
    }
  }
}
