// rapt bench finetune: times updates of a BERT-shaped classifier on real sentences, as in
// ../shared/bench/bert_finetune.py.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench_updates.h"
#include "commands.h"
#include "tensor/error.h"
#include "tensor/matmul.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "train/models/model_size.h"
#include "train/models/networks.h"
#include "train/tasks/labelled_task.h"
#include "train/tasks/machine.h"

namespace rapt::app {
namespace {

struct Shape {
  const char* name;
  Dim layers, width, heads;
};

constexpr Shape kShapes[] = {{"tiny", 2, 128, 2},    {"mini", 4, 256, 4},   {"small", 4, 512, 8},
                             {"minilm", 6, 384, 12}, {"medium", 8, 512, 8}, {"base", 12, 768, 12}};

const Shape& shape_of(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const Shape& shape : kShapes) names.emplace_back(shape.name);
  const std::string name = arguments.choice("shape", "minilm", names);
  return *std::ranges::find_if(kShapes, [&](const Shape& shape) { return shape.name == name; });
}

// The script's recipe: AdamW with a constant learning rate, every dropout of the published configuration.
TrainConfig bench_config(const Arguments& arguments, const Shape& shape) {
  std::vector<FlagValue> flags = {{"model", {"bert"}},
                                  {"task", {"classify"}},
                                  {"layers", {std::to_string(shape.layers)}},
                                  {"width", {std::to_string(shape.width)}},
                                  {"heads", {std::to_string(shape.heads)}},
                                  {"context", {"512"}},
                                  {"max-length", {"128"}},
                                  {"batch", {"32"}},
                                  {"activation", {"gelu"}},
                                  {"norm-epsilon", {"1e-12"}},
                                  {"dropout", {"0.1"}},
                                  {"learning-rate", {"2e-5"}},
                                  {"schedule", {"constant"}},
                                  {"weight-decay", {"0.01"}},
                                  {"beta2", {"0.999"}},
                                  {"clip", {"1"}}};
  for (const FlagValue& flag : arguments.settings()) {
    if (flag.name != "steps") flags.push_back(flag);
  }
  return layer_config("", "", flags).values;
}

int run_bench_finetune(const Arguments& arguments) {
  check_matmul_provider();
  const Shape& shape = shape_of(arguments);
  TrainConfig config = bench_config(arguments, shape);
  const std::int64_t steps = arguments.whole("steps", 30, 1), warmup = arguments.whole("warm", 2, 0);
  arguments.required("data");
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(arguments.required("tokenizer"));
  const double peak = measure_sgemm_peak();
  release_unused_memory();

  const auto data = std::make_shared<const LabelledData>(
      LabelledData::read(config.data, frame_of(config, tokenizer), labelled_options(config)));
  config.labels = data->labels().names();
  Initializer init(static_cast<std::uint64_t>(config.seed));
  AnyNetwork network(network_config(config, tokenizer->vocabulary_size()), init);
  Trainer trainer(config, network.network(), training_data(config, data), warmup + steps);
  std::optional<Profile> profile;
  if (arguments.has("profile")) profile.emplace();
  const UpdateTimes times = time_updates(trainer, warmup, steps, profile ? &*profile : nullptr);

  const double sentences = static_cast<double>(config.batch * config.accumulate * steps);
  const ModelSize size =
      model_size(config, tokenizer->vocabulary_size(), static_cast<double>(times.tokens) / sentences);
  Json json = report_updates(fmt::format("bert {} packed", shape.name), times, size.flop_per_token, peak);
  json["sentences_per_s"] = sentences / times.total;
  json["padding"] = 0;
  print_updates(json, profile ? &*profile : nullptr, arguments.has("json"));
  return 0;
}

}  // namespace

Command bench_finetune_command() {
  std::vector<Option> options = {{.name = "shape",
                                  .value = "tiny|mini|small|minilm|medium|base",
                                  .help = "model size: layers and width",
                                  .fallback = "minilm"}};
  for (Option& option : setting_options({"batch", "data", "tokenizer", "steps", "max-length", "text-column",
                                         "label-column", "header", "dropout", "accumulate", "recompute", "seed"})) {
    option.group.clear();
    if (option.name == "batch") option.fallback = "32";
    if (option.name == "steps") option.fallback = "30";
    if (option.name == "max-length") option.fallback = "128";
    if (option.name == "dropout") option.fallback = "0.1";
    if (option.name == "tokenizer") option.fallback.clear();
    options.push_back(std::move(option));
  }
  for (Option& option : update_options()) options.push_back(std::move(option));
  return {.name = "bench finetune",
          .summary = "time updates of a BERT-shaped classifier on labelled sentences, from random weights",
          .examples = {"rapt bench finetune --shape minilm --batch 32 --data T.tsv --tokenizer vocab.txt --steps 20 "
                       "--json"},
          .options = options,
          .run = run_bench_finetune};
}

}  // namespace rapt::app
