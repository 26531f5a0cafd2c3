#include "train/run/run_start.h"

#include <filesystem>

#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"
#include "tensor/instruction_set.h"
#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "tensor/precision.h"
#include "train/models/networks.h"
#include "train/run/resume.h"
#include "train/settings/settings_agreement.h"
#include "train/tasks/choose.h"
#include "train/tasks/materials.h"
#include "train/tasks/text_summary.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

CheckpointSummary inspect(const std::string& path) {
  const CheckpointFile file(path);
  return {.step = file.state_integer("step"), .finished = file.state_integer("finished") != 0};
}

// The inputs of an existing run, compared with its files now and with the request. If a model of --init no longer
// exists, this is ignored, because its weights are in the checkpoint.
RunInputs inputs_now(TrainConfig config, const LayeredConfig& wanted, const RunInputs& saved) {
  const bool init_asked = wanted.given("init") && fs::exists(config.init);
  if (!init_asked) config.init.clear();
  RunInputs now = read_inputs(config);
  if (!init_asked) now.init = saved.init;
  return now;
}

// The run's settings with the currently requested files.
TrainConfig with_files(const TrainConfig& saved, const LayeredConfig& wanted) {
  TrainConfig config = saved;
  if (wanted.given("data")) config.data = wanted.values.data;
  if (wanted.given("validation-data")) config.validation_data = wanted.values.validation_data;
  if (wanted.given("source")) config.source = wanted.values.source;
  if (wanted.given("target")) config.target = wanted.values.target;
  if (wanted.given("valid-source")) config.valid_source = wanted.values.valid_source;
  if (wanted.given("valid-target")) config.valid_target = wanted.values.valid_target;
  if (wanted.given("init")) config.init = wanted.values.init;
  if (wanted.given("tokenizer")) config.tokenizer = wanted.values.tokenizer;
  return config;
}

// Each process of the team computes the same number of shards.
void require_shards_for(const Team& team, const TrainConfig& config) {
  if (config.shards % team.size() == 0) return;
  std::string sizes = "1";
  for (std::int64_t size = 2; size <= config.shards; size *= 2) {
    sizes += (size == config.shards ? " or " : ", ") + std::to_string(size);
  }
  throw UsageError("--shards " + std::to_string(config.shards) + " allows " + sizes +
                   (config.shards == 1 ? " process" : " processes") + ", got " + std::to_string(team.size()));
}

Beginning begin_new(const RunFolder& folder, LayeredConfig wanted, Team& team, const Notice& notice) {
  if (team.size() > 1) choose(wanted, "shards", std::to_string(team.size()));
  Beginning result{.config = wanted};
  prepare_computing(wanted.values, notice);
  Materials materials(folder, nullptr, notice, {}, team.size());
  require_shards_for(team, wanted.values);
  result.config = settle(wanted, materials, notice);
  const TrainConfig& config = result.config.values;
  set_product_precision(config.operands());  // --precision auto has been measured
  result.job = materials.build(config);
  warn_of_passes(config, result.job.data, total_updates(config, result.job.data), notice);
  result.inputs = read_inputs(config, result.job.files);
  return result;
}

// The end of a stretch whose length was given in minutes.
void choose_end(TrainConfig& config, double minutes, const Job& job) {
  TrainConfig alone = config;  // not a part of its run any more
  alone.stretch_start = 0;
  const Pace pace = measure_pace(alone, job.network->config(), job.data);
  config.steps = config.stretch_start + updates_in_minutes(minutes, config, pace, job.held_out_tokens);
}

}  // namespace

std::string build_name() { return "rapt " RAPT_VERSION " (" __VERSION__ ")"; }

void prepare_computing(const TrainConfig& config, const Notice& notice) {
  if (config.threads > 0) set_thread_count(static_cast<int>(config.threads));
  set_product_precision(config.operands());
  if (config.precision == "bf16" && !has_bf16_products()) {
    notice(
        "train: this processor has no instructions for bf16, so --precision bf16 computes the same in f32, slower than "
        "--precision f32");
  }
}

Json manifest_of(const CheckpointFile& file) { return parse_json(file.text("manifest"), file.path() + ": /manifest"); }

std::string other_kernels(const Json& manifest) {
  const auto differs = [&](const char* key, const std::string& now) {
    return manifest.contains(key) && manifest[key].is_string() && manifest[key].get<std::string>() != now;
  };
  const std::pair<const char*, std::string> kernels[] = {{"instruction_set", simd_target()},
                                                         {"matmul", matmul_provider()}};
  for (const auto& [key, now] : kernels) {
    if (!differs(key, now)) continue;
    return "warning: the run was computed with " + escape_for_terminal(manifest[key].get<std::string>()) +
           ", and continues with " + now + ": the last digits will differ from those of an uninterrupted run";
  }
  return "";
}

double seconds_before(const CheckpointFile& file) {
  return JsonFields(manifest_of(file), file.path() + ": /manifest").number_or("seconds", 0);
}

StandingRun find_run(const RunFolder& folder, const RunRequest& request, const LayeredConfig& wanted,
                     const Notice& notice) {
  if (!request.resume) {  // before any report on an existing run
    LayeredConfig asked = wanted;
    choose_task(asked);
    require_applicable(asked);
  }
  StandingRun run;
  run.found = newest_checkpoint(folder, inspect);
  if (run.found) {
    for (const std::string& skipped : run.found->skipped) notice("train: skipped " + skipped);
  }
  if (fs::exists(folder.config())) run.saved = from_toml(read_file(folder.config()), folder.config());
  run.plan = plan_run(folder, run.found, run.saved, wanted, request.resume, request.command);
  if (run.plan == RunPlan::kStart || !run.saved) return run;
  const bool finished = run.plan == RunPlan::kFinished;
  if (finished && !wanted.given("data") && !wanted.given("source")) return run;  // its data is not needed
  const CheckpointFile file(run.found->path);
  const RunInputs ours = inputs_of(manifest_of(file), file.path() + ": /manifest");
  run.inputs = inputs_now(with_files(*run.saved, wanted), wanted, ours);
  require_same_inputs(folder, finished, ours, *run.inputs, request.command);
  return run;
}

Beginning begin_run(const StandingRun& standing, const RunFolder& folder, const RunRequest& request,
                    const LayeredConfig& wanted, const Notice& notice) {
  if (standing.plan == RunPlan::kStart) return begin_new(folder, wanted, request.orders->team(), notice);
  const Resumption resumption =
      resume_from(standing.saved.value_or(wanted.values), wanted, standing.found->summary, request.resume, notice);
  Beginning result{.config = wanted};
  result.config.values = resumption.config;
  TrainConfig& config = result.config.values;
  require_shards_for(request.orders->team(), config);
  prepare_computing(config, notice);
  result.from = std::make_unique<CheckpointFile>(standing.found->path);
  if (const std::string text = other_kernels(manifest_of(*result.from)); !text.empty()) notice(text);
  std::optional<DataFiles> known;
  if (standing.inputs) known = {.train = standing.inputs->data, .validation = standing.inputs->validation};
  result.job = Materials(folder, result.from.get(), notice, std::move(known)).build(config);
  if (resumption.more_minutes > 0) choose_end(config, resumption.more_minutes, result.job);
  if (resumption.new_stretch) fit_stretch(config, total_updates(config, result.job.data), notice);
  validate(config);
  result.inputs = standing.inputs ? *standing.inputs : read_inputs(config, result.job.files);
  return result;
}

}  // namespace rapt
