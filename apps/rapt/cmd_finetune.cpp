// rapt finetune: a pretrained model learns a task, or goes on learning its own on other text.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>

#include "commands.h"
#include "tensor/error.h"
#include "train/choose.h"
#include "training.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

// "b" for runs/b and for runs/b/best.h5.
std::string name_of_model(const std::string& path) {
  fs::path model = fs::path(path).lexically_normal();
  if (model.extension() == ".h5" && model.has_parent_path()) model = model.parent_path();
  if (!model.has_filename()) model = model.parent_path();
  const std::string name = model.filename().string();
  return name.empty() || name == "." || name == ".." ? "model" : name;
}

// What nobody said about a language model that gets used to other text: a small rate that falls to nothing, few passes.
// Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 4.1.
void choose_adaptation(LayeredConfig& config) {
  const std::pair<const char*, const char*> recipe[] = {
      {"learning-rate", "5e-5"}, {"schedule", "linear"},      {"min-learning-rate", "0"},
      {"warmup", "10%"},         {"weight-decay", "0.01"},    {"beta2", "0.999"},
      {"dropout", "0.1"},        {"sampling-order", "epoch"}, {"batch", "8"},
      {"eval-every", "1e"},      {"save-every", "1e"}};
  for (const auto& [name, value] : recipe) choose(config, name, value);
  const TrainConfig& c = config.values;
  if (!has_end(c) && c.minutes <= 0) choose(config, "epochs", "3");
}

int run(const Arguments& arguments) {
  LayeredConfig config = config_of(arguments);
  TrainConfig& c = config.values;
  if (arguments.has("resume")) return run_training_command(arguments, config, "finetune");
  if (c.init.empty()) {
    throw UsageError(
        "rapt finetune needs --init MODEL, the run, checkpoint or Hugging Face directory to start from; "
        "to start from nothing: rapt train");
  }
  if (!config.given("task")) {
    if (!c.glue.empty()) {
      throw UsageError("rapt finetune needs --task beside --glue; --preset glue/" + c.glue + " has both");
    }
    throw UsageError(
        "rapt finetune needs --task classify|regress|multilabel|tag|qa|choice|lm|mlm|mlm-nsp, or --preset "
        "glue/NAME");
  }
  if (c.task == "lm") choose_adaptation(config);
  if (c.out.empty()) {
    c.out = "runs/" + name_of_model(c.init) + "-" + (c.glue.empty() ? c.task : c.glue);
    config.origin["out"] = Origin::kChosen;
  }
  return run_training_command(arguments, config, "finetune");
}

}  // namespace

Command finetune_command() {
  std::vector<Option> options = setting_options();
  const std::map<std::string, std::string> chosen = {
      {"task", ""}, {"batch", "32"}, {"learning-rate", "5e-5"}, {"weight-decay", "0.01"}, {"epochs", "3"}};
  for (Option& option : options) {
    if (const auto other = chosen.find(option.name); other != chosen.end()) option.fallback = other->second;
    // What a model is like is decided already; what it learns from is labelled as a rule.
    if (option.group == "model") option.common = option.name == "init";
    if (option.group == "tokenizer") option.common = false;
    if (option.name == "data") {
      option.help = "what to learn from, also --train: tables, tags, questions; text for lm and mlm";
      option.own = {"train"};
    }
    if (option.name == "validation-data") {
      option.help = "what to validate on, also --valid; part of the data if not given";
      option.own = {"valid"};
    }
    if (option.group == "labelled data" || option.group == "fine-tuning") {
      constexpr const char* kRare[] = {"label-separator", "stride", "lora-alpha", "lora-dropout", "lora-targets"};
      option.common = std::ranges::find(kRare, option.name) == std::end(kRare);
    }
    if (option.group == "schedule" || option.group == "periods") option.common = false;
  }
  for (Option& option : training_options()) options.push_back(std::move(option));
  return {.name = "finetune",
          .summary = "teach a pretrained model a task: classes, numbers, tags, answers; or more text of its own kind",
          .arguments = "[FILE]...",
          .most = 1 << 20,
          .examples = {"rapt finetune --preset glue/sst2 --init runs/b --train T.tsv --valid V.tsv --out runs/b-sst2 "
                       "--seeds 3",
                       "rapt finetune --task classify --init DIR --train T.tsv --valid V.tsv --text-column text_a "
                       "--label-column label",
                       "rapt finetune --task tag --init DIR --train T.conll --valid V.conll",
                       "rapt finetune --task lm --init runs/my --train other.txt"},
          .options = options,
          .more = "The data's columns are found by their names, or given: docs/labelled-data.md.\n",
          .run = run};
}

}  // namespace rapt::app
