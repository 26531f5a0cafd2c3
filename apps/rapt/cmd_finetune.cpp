// rapt finetune: trains a pretrained model on a task, or continues its pretraining on other text.
#include <algorithm>
#include <iterator>

#include "commands.h"
#include "tensor/error.h"
#include "train/settings/recipes.h"
#include "training.h"

namespace rapt::app {

namespace {

int run_finetune(const Arguments& arguments) {
  const LayeredConfig config = config_of(arguments);
  const TrainConfig& c = config.values;
  if (arguments.has("resume")) return run_training_command(arguments, config, "finetune");
  if (c.init.empty()) {
    throw UsageError(
        "rapt finetune needs --init MODEL, the run, checkpoint or Hugging Face directory to start from; "
        "to train from scratch: rapt train");
  }
  if (!config.given("task")) {
    if (!c.glue.empty()) {
      throw UsageError("rapt finetune needs --task with --glue; --preset glue/" + c.glue + " sets both");
    }
    throw UsageError(
        "rapt finetune needs --task classify|regress|multilabel|tag|qa|choice|translate|summarize|lm|mlm|mlm-nsp, or "
        "--preset "
        "glue/NAME");
  }
  return run_training_command(arguments, config, "finetune");
}

}  // namespace

Command finetune_command() {
  LayeredConfig recipe;
  follow(recipe, Recipe::kFineTune);
  std::vector<Option> options = setting_options({}, recipe.values);
  for (Option& option : options) {
    if (option.name == "task") option.fallback = "";
    const bool of_model = option.group == "model" || option.group == "tokenizer";
    if (of_model && !option.name.ends_with("dropout") && option.name != "init") option.fallback = "from the model";
    // The structure of the model is fixed; the training data is usually labelled.
    if (option.group == "model") option.common = option.name == "init";
    if (option.group == "tokenizer") option.common = false;
    if (option.name == "data") {
      option.help = "training data, also --train: tables, tagged words, questions; text for lm and mlm";
      option.own = {"train"};
    }
    if (option.name == "validation-data") {
      option.help = "validation data, also --valid; default: a part of the training data";
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
          .summary = "fine-tune a pretrained model: classes, numbers, tags, answers, or continued pretraining",
          .arguments = "[FILE]...",
          .most = 1 << 20,
          .examples = {"rapt finetune --preset glue/sst2 --init runs/b --train T.tsv --valid V.tsv --out runs/b-sst2 "
                       "--seeds 3",
                       "rapt finetune --task classify --init DIR --train T.tsv --valid V.tsv --text-column text_a "
                       "--label-column label",
                       "rapt finetune --task tag --init DIR --train T.conll --valid V.conll",
                       "rapt finetune --task lm --init runs/my --train other.txt"},
          .options = options,
          .more = "Columns are detected from their names and values unless options name them: docs/labelled-data.md.\n",
          .in_team = true,
          .run = run_finetune};
}

}  // namespace rapt::app
