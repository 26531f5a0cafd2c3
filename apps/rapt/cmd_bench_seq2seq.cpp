// rapt bench seq2seq: times updates of an encoder-decoder on real sentences, as in ../shared/bench/seq2seq_step.py.
#include <fmt/format.h>

#include <optional>

#include "bench_updates.h"
#include "commands.h"
#include "tensor/matmul.h"
#include "terminal.h"
#include "train/files/scratch_folder.h"
#include "train/tasks/machine.h"
#include "train/tasks/materials.h"

namespace rapt::app {
namespace {

LayeredConfig bench_config(const Arguments& arguments, std::int64_t updates) {
  std::vector<FlagValue> flags = {{"task", {"translate"}},
                                  {"steps", {std::to_string(updates)}},
                                  {"validation-fraction", {"0"}},
                                  {"preset", {arguments.text("preset", "multi30k")}}};
  for (const FlagValue& flag : arguments.settings()) {
    if (flag.name != "preset" && flag.name != "steps") flags.push_back(flag);
  }
  return layer_config("", "", flags);
}

int run_bench_seq2seq(const Arguments& arguments) {
  check_matmul_provider();
  const std::int64_t steps = arguments.whole("steps", 20, 1), warmup = arguments.whole("warm", 2, 0);
  const double peak = measure_sgemm_peak();
  release_unused_memory();
  const ScratchFolder scratch;
  const Notice quiet = [](const std::string&) {};
  Materials materials(scratch.folder(), nullptr, quiet);
  const LayeredConfig config = settle(bench_config(arguments, warmup + steps), materials, quiet);
  const Job job = materials.build(config.values);

  Trainer trainer(config.values, job.network->network(), job.data, warmup + steps);
  std::optional<Profile> profile;
  if (arguments.has("profile")) profile.emplace();
  const UpdateTimes times = time_updates(trainer, warmup, steps, profile ? &*profile : nullptr);

  Json json =
      report_updates(fmt::format("{} B{}", config.values.preset, config.values.batch), times, job.flop_per_token, peak);
  const double updates_per_epoch = static_cast<double>(job.data.samples_per_epoch) /
                                   static_cast<double>(config.values.batch * config.values.accumulate);
  json["padding"] = 0;
  json["epoch_s"] = times.total / static_cast<double>(steps) * updates_per_epoch;
  json["parameters"] = parameter_count(job.network->module());
  print_updates(json, profile ? &*profile : nullptr, arguments.has("json"));
  return 0;
}

}  // namespace

Command bench_seq2seq_command() {
  std::vector<Option> options;
  for (Option& option : setting_options({"preset", "source", "target", "batch", "steps", "lowercase", "dropout",
                                         "accumulate", "recompute", "seed"})) {
    option.group.clear();
    if (option.name == "preset") option.fallback = "multi30k";
    if (option.name == "steps") option.fallback = "20";
    options.push_back(std::move(option));
  }
  for (Option& option : update_options()) options.push_back(std::move(option));
  return {.name = "bench seq2seq",
          .summary = "time updates of an encoder-decoder on pairs of sentences, from random weights",
          .examples = {"rapt bench seq2seq --preset multi30k --batch 128 --source F --target F --steps 20 --json"},
          .options = options,
          .run = run_bench_seq2seq};
}

}  // namespace rapt::app
