#include "labelled_input.h"

#include "tensor/error.h"
#include "train/settings/settings.h"
#include "train/tasks/labelled_task.h"

namespace rapt::app {

namespace {

const std::vector<std::string> kSettings = {"format", "text-column", "pair-column",     "label-column", "header",
                                            "glue",   "labels",      "label-separator", "max-length",   "stride"};

}  // namespace

std::vector<Option> labelled_input_options() {
  std::vector<Option> options = setting_options(kSettings);
  for (Option& option : options) {
    option.group = "labelled data";
    const bool of_file = option.name == "format" || option.name == "header";
    option.fallback = of_file ? "" : "as in training";
    option.common = option.name != "labels" && option.name != "stride";
  }
  return options;
}

TrainConfig labelled_config(const Arguments& arguments, const Pretrained& model) {
  std::vector<FlagValue> flags;
  for (const FlagValue& flag : arguments.settings()) {
    for (const std::string& name : kSettings) {
      if (flag.name == name) flags.push_back(flag);
    }
  }
  const LayeredConfig given = layer_config("", "", flags);
  TrainConfig config = model.config;
  for (const std::string& name : kSettings) {
    const Setting& setting = *find_setting(name);
    const std::vector<std::string> value = setting.get(given.values);
    if (given.given(name) && !value.empty()) setting.set(config, value);
  }
  if (config.labels.size() != model.config.labels.size()) {
    throw UsageError("--labels must have one name per output of the model, " +
                     std::to_string(model.config.labels.size()) + ", got " + std::to_string(config.labels.size()));
  }
  return config;
}

LabelledStream open_labelled(const std::vector<std::string>& files, const Arguments& arguments, const Pretrained& model,
                             const TrainConfig& config, LabelledUse use) {
  LabelledOptions options = labelled_options(config);
  // The columns of the model's own data are only a hint; given options must be followed.
  options.columns = {arguments.text("text-column"), arguments.text("pair-column"), arguments.text("label-column")};
  options.usual = {model.config.text_column, model.config.pair_column, model.config.label_column};
  if (!arguments.has("format")) options.format.clear();
  if (!arguments.has("header")) options.header.reset();
  options.labels_required = use == LabelledUse::kJudge;
  options.keeps_columns = options.live = use == LabelledUse::kPredict;
  options.unknown_labels = true;
  options.language_model = false;
  require_tokenizer(model);
  return {files, frame_of(config, model.tokenizers.target), options};
}

}  // namespace rapt::app
