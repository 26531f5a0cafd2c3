// Runs that train low-rank adapters: the trained parameters, the contents of a checkpoint, and starting another run
// from it.
#include <doctest/doctest.h>

#include "io/temporary_folder.h"
#include "support/random_tensor.h"
#include "support/thread_counts.h"
#include "tensor/error.h"
#include "train/files/checkpoint.h"
#include "train/files/hugging_face.h"
#include "train/files/pretrained.h"
#include "train/labelled/labelled_data.h"
#include "train/models/networks.h"
#include "train/optimise/parameter_rules.h"
#include "train/run/run.h"
#include "train/tasks/labelled_task.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

std::string examples() {
  std::string text = "text\tlabel\n";
  for (int i = 0; i < 60; ++i) {
    text += std::string(i % 2 ? "the film was good and we liked it" : "a bad plot that nobody wants") +
            (i % 3 ? "" : " at all") + (i % 2 ? "\tgood\n" : "\tbad\n");
  }
  return text;
}

RunResult run(const TemporaryFolder& folder, const std::string& out, std::vector<FlagValue> more) {
  if (!std::filesystem::exists(folder / "a.tsv")) write_plainly(folder / "a.tsv", examples());
  std::vector<FlagValue> flags = {
      {"data", {folder / "a.tsv"}}, {"out", {folder / out}}, {"task", {"classify"}}, {"steps", {"6"}}, {"batch", {"4"}},
      {"learning-rate", {"1e-2"}},  {"save-every", {"2"}},   {"dropout", {"0.1"}}};
  flags.insert(flags.end(), more.begin(), more.end());
  RunRequest request;
  request.config = layer_config("", "", flags);
  request.progress.quiet = true;
  request.sink = [](std::string_view) {};
  const StopSignals signals;
  return run_training(request, signals);
}

void train_plain(const TemporaryFolder& folder, const std::string& out, const std::string& model = "bert") {
  run(folder, out, {{"model", {model}}, {"width", {"16"}}, {"heads", {"2"}}, {"layers", {"2"}}, {"vocab", {"60"}}});
}

const std::vector<FlagValue> kAdapters = {{"lora-rank", {"2"}},
                                          {"lora-alpha", {"8"}},
                                          {"lora-dropout", {"0.1"}},
                                          {"lora-targets", {"query,value,output,up"}}};

void train_adapters(const TemporaryFolder& folder, const std::string& from, const std::string& out,
                    std::vector<FlagValue> more = {}) {
  std::vector<FlagValue> flags = kAdapters;
  flags.push_back({"init", {folder / from}});
  flags.insert(flags.end(), more.begin(), more.end());
  run(folder, out, flags);
}

Tensor logits_of(const Pretrained& model, const TemporaryFolder& folder) {
  const LabelledData data = LabelledData::read({folder / "a.tsv"}, frame_of(model.config, model.tokenizers.target),
                                               labelled_options(model.config));
  return model.task_network().logits(data.batch(std::vector<Dim>{0, 1, 2, 3, 4, 5}));
}

}  // namespace

TEST_CASE("adapters and the head are trained, everything else keeps its bits, and a checkpoint holds both") {
  const TemporaryFolder folder;
  train_plain(folder, "plain");
  train_adapters(folder, "plain", "lora");
  const Pretrained plain = open_pretrained(folder / "plain"), adapted = open_pretrained(folder / "lora");
  std::map<std::string, Tensor> before;
  for (const NamedParameter& p : parameters_of(plain.network->module())) before[p.name] = p.variable.value();
  std::size_t adapters = 0;
  for (const NamedParameter& p : parameters_of(adapted.network->module())) {
    CAPTURE(p.name);
    if (p.name.find(".lora.") != std::string::npos) {
      ++adapters;
      CHECK(max_difference(p.variable.value(), Tensor::zeros(p.variable.shape())) > 1e-3);
    } else {
      const bool learns = p.name.starts_with("head.") || p.name.starts_with("backbone.pooler.");
      CHECK(same_bits(p.variable.value(), before.at(p.name)) != learns);
    }
  }
  CHECK(adapters == 2 * 4 * 2);
  const CheckpointFile file(folder / "lora/last.h5");
  CHECK(file.find_tensor("model/backbone.blocks.0.attention.qkv.lora.query.a") != nullptr);
  CHECK(file.find_tensor("optimizer/m/backbone.blocks.0.attention.qkv.lora.query.a") != nullptr);
  CHECK(file.find_tensor("optimizer/m/backbone.blocks.0.attention.qkv.weight") == nullptr);
}

TEST_CASE("the directory that is exported has the adapters in its weights") {
  const TemporaryFolder folder;
  for (const char* model : {"bert", "gpt2"}) {
    CAPTURE(std::string(model));
    const std::string plain = std::string(model) + "-plain", lora = std::string(model) + "-lora";
    train_plain(folder, plain, model);
    train_adapters(folder, plain, lora);
    const Pretrained adapted = open_pretrained(folder / lora);
    const Tensor before = logits_of(adapted, folder);
    CHECK_THROWS_AS(write_hugging_face(adapted.network->module(), {adapted.network->config(), adapted.config.labels},
                                       adapted.tokenizers, folder / "refused"),
                    UsageError);
    CHECK(adapted.network->merge_adapters() == 8);
    write_hugging_face(adapted.network->module(), {adapted.network->config(), adapted.config.labels},
                       adapted.tokenizers, folder / (lora + "-hf"));
    const Pretrained exported = open_pretrained(folder / (lora + "-hf"));
    CHECK(exported.config.labels == std::vector<std::string>{"bad", "good"});
    CHECK(max_difference(before, logits_of(exported, folder)) < 1e-5);
  }
}

TEST_CASE("a run with adapters starts as the network it adapts, and a plain run as the merged one") {
  const TemporaryFolder folder;
  train_plain(folder, "plain");
  train_adapters(folder, "plain", "lora");
  const Pretrained plain = open_pretrained(folder / "plain");
  Pretrained adapted = open_pretrained(folder / "lora");
  Initializer init(9);
  AnyNetwork fresh(adapted.network->config(), init);
  copy_parameters(*plain.network, fresh, true);
  const Tensor tokens = logits_of(plain, folder);
  Pretrained started = open_pretrained(folder / "lora");
  *started.network = std::move(fresh);
  CHECK(max_difference(tokens, logits_of(started, folder)) < 1e-6);

  const Tensor trained = logits_of(adapted, folder);
  AnyNetwork merged(plain.network->config(), init);
  CHECK(copy_parameters(*adapted.network, merged, true).empty());
  Pretrained onwards = open_pretrained(folder / "plain");
  *onwards.network = std::move(merged);
  CHECK(max_difference(trained, logits_of(onwards, folder)) < 1e-5);
  run(folder, "onwards", {{"init", {folder / "lora"}}, {"steps", {"1"}}});  // and as a run
  CHECK(open_pretrained(folder / "onwards").config.lora_rank == 0);
  train_adapters(folder, "lora", "again");  // new adapters on merged ones
  CHECK(open_pretrained(folder / "again").config.lora_rank == 2);
}

TEST_CASE("impossible adapter settings are rejected with the valid ones") {
  const TemporaryFolder folder;
  train_plain(folder, "plain");
  const auto refusal = [&](std::vector<FlagValue> more) {
    return message_of<UsageError>([&] { run(folder, "refused", more); });
  };
  const FlagValue init{"init", {folder / "plain"}};
  CHECK(refusal({{"lora-rank", {"2"}}}) ==
        "--lora-rank needs --init MODEL, because only the adapters are trained; give one, or leave --lora-rank out");
  CHECK(refusal({init, {"lora-rank", {"2"}}, {"lora-targets", {"query,keys"}}}) ==
        "--lora-targets must be one of query, key, value, output, up, down, got \"keys\"; did you mean key?");
  CHECK(refusal({init, {"lora-rank", {"2"}}, {"lora-targets", {""}}}) ==
        "--lora-rank needs --lora-targets; try --lora-targets query,value");
  CHECK(refusal({init, {"lora-rank", {"2"}}, {"reset-layers", {"1"}}}) ==
        "--reset-layers and --lora-rank exclude each other: all weights of a reinitialised block must be trained");
}

TEST_CASE("in a language model only the adapters are trained, not even an untied output layer") {
  TrainConfig config;
  config.layers = 1;
  config.width = 8;
  config.heads = 2;
  config.tie = false;
  config.lora_rank = 2;
  Initializer init(1);
  AnyNetwork network(network_config(config, 11), init);
  const ParameterRules rules = parameter_rules(config, network.module());
  for (const NamedParameter& p : parameters_of(network.module())) {
    CHECK_MESSAGE(rules.frozen(p.name) == (p.name.find(".lora.") == std::string::npos), p.name);
  }
}
