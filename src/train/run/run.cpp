#include "train/run/run.h"

#include <stdlib.h>

#include <filesystem>

#include "io/durable_file.h"
#include "io/lock_file.h"
#include "tensor/error.h"
#include "tensor/matmul.h"
#include "train/files/checkpoint.h"
#include "train/run/resume.h"
#include "train/run/run_start.h"
#include "train/run/training_loop.h"
#include "train/tasks/labelled_job.h"
#include "train/tasks/self_pretraining.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

// What is told of a run that had come to its end before.
RunResult finished_before(const RunFolder& folder, const FoundCheckpoint& found, const TrainConfig& config) {
  const CheckpointFile file(found.path);
  RunResult r;
  r.finished = r.already = true;
  r.folder = folder.path;
  r.task = config.task;
  r.steps = found.summary.step;
  r.best_loss = file.state_number("best_loss");
  r.best_score = file.state_number("best_score");
  r.metric = deciding_metric(config);
  r.seconds = seconds_before(file);
  return r;
}

std::optional<std::int64_t> step_of(const CheckpointFile* from) {
  return from == nullptr ? std::nullopt : std::optional(from->state_integer("step"));
}

// A run that is set up: everything the loop needs, and the loop.
class Run {
 public:
  Run(const RunRequest& request, const StopSignals& signals, RunFolder folder, Beginning beginning)
      : request_(request),
        signals_(signals),
        folder_(std::move(folder)),
        config_(std::move(beginning.config.values)),
        inputs_(std::move(beginning.inputs)),
        job_(std::move(beginning.job)),
        total_steps_(total_updates(config_, job_.data)),
        trainer_(config_, job_.network->network(), job_.data, total_steps_),
        metrics_(folder_.metrics(), step_of(beginning.from.get())),
        progress_(request.progress, request.sink, &metrics_) {
    if (beginning.from == nullptr) return;
    const CheckpointFile& from = *beginning.from;
    restore(trainer_, from);
    TrainState& state = trainer_.state();
    if (was_extended(config_, {.step = state.step})) {
      state.finished = false;
      state.stalled = 0;
    }
    earlier_seconds_ = seconds_before(from);
    parent_ = fs::path(from.path()).filename().string();
    last_saved_ = state.step;
  }

  RunResult loop();

 private:
  RunClock clock() const {
    const TrainState& s = trainer_.state();
    return {.updates = s.step, .epochs = trainer_.epochs(), .tokens = s.tokens, .seconds = seconds()};
  }
  double seconds() const { return earlier_seconds_ + seconds_since(start_); }
  bool due(const Period& period, const RunClock& before, const RunClock& now) const {
    return is_due(period, before, now, total_steps_);
  }
  std::string end_reason() const;
  UpdateReport report(const UpdateResult& update) const;
  bool validate(bool last);
  UpdateResult update();
  void sample();
  void save(bool best);
  CheckpointTexts texts() const;
  RunResult result(std::string reason, bool finished) const;

  const RunRequest& request_;
  const StopSignals& signals_;
  RunFolder folder_;
  TrainConfig config_;
  RunInputs inputs_;
  Job job_;
  std::int64_t total_steps_;
  Trainer trainer_;
  MetricsLog metrics_;
  Progress progress_;
  double earlier_seconds_ = 0;
  std::string parent_;
  Clock::time_point start_ = Clock::now();
  double peak_ = 0;               // sgemm, operations a second
  double sitting_tokens_ = 0;     // of this sitting, and
  double sitting_seconds_ = 0;    // the time that its updates took
  std::int64_t last_saved_ = -1;  // update of the newest checkpoint; -1: none yet
};

std::string Run::end_reason() const {
  const TrainState& s = trainer_.state();
  if (config_.early_stop > 0 && s.stalled >= config_.early_stop) return "early-stop";
  if (s.step >= total_steps_) {
    if (config_.steps == total_steps_ || (config_.epochs <= 0 && config_.tokens <= 0)) return "steps";
    return config_.epochs > 0 ? "epochs" : "tokens";
  }
  if (config_.minutes > 0 && seconds() >= 60 * config_.minutes) return "minutes";
  return "";
}

UpdateReport Run::report(const UpdateResult& update) const {
  const TrainState& s = trainer_.state();
  UpdateReport r;
  r.step = s.step;
  r.total_steps = total_steps_;
  r.epoch = trainer_.epochs();
  r.tokens = s.tokens;
  r.loss = update.loss;
  r.learning_rate = update.learning_rate;
  r.grad_norm = update.grad_norm;
  r.seconds = seconds();
  r.tokens_per_second = sitting_seconds_ > 0 ? sitting_tokens_ / sitting_seconds_ : 0;
  const double tokens_per_update = static_cast<double>(s.tokens) / static_cast<double>(s.step);
  r.remaining_seconds = r.tokens_per_second > 0
                            ? static_cast<double>(total_steps_ - s.step) * tokens_per_update / r.tokens_per_second
                            : -1;
  if (peak_ > 0) r.share_of_peak = r.tokens_per_second * job_.flop_per_token / peak_;
  r.memory_bytes = resident_memory();
  return r;
}

// True if it is the best so far. Each validation of a run reads the same part of the held-out data, and by that the
// best is found; the last one reads the rest as well, and tells of all.
bool Run::validate(bool last) {
  Evaluation evaluation = job_.evaluate(config_.eval_tokens);
  TrainState& s = trainer_.state();
  const bool best = evaluation.score > s.best_score;
  s.stalled = best ? 0 : s.stalled + 1;
  if (best) s.best_score = evaluation.score;
  if (last && config_.eval_tokens > 0) evaluation = job_.evaluate(config_.last_eval_tokens);
  if (best) {
    s.best_loss = evaluation.loss;
    s.best_step = s.step;
  }
  progress_.validation({.step = s.step,
                        .epoch = trainer_.epochs(),
                        .evaluation = evaluation,
                        .metric = job_.metric,
                        .best = best,
                        .seconds = seconds()});
  return best;
}

// A bad update says how to go on without it.
UpdateResult Run::update() {
  try {
    return trainer_.update();
  } catch (const NotFiniteError& error) {
    const std::string rate = " --learning-rate " + print_number(config_.learning_rate / 4);
    const std::string advice = last_saved_ < 0
                                   ? "start again with a lower learning rate, such as" + rate + ", or a lower --clip"
                                   : "resume from update " + std::to_string(last_saved_) +
                                         " with a lower learning rate or --clip: rapt " + "train --resume " +
                                         for_shell(folder_.path) + rate;
    throw NotFiniteError(std::string(error.what()) + "; " + advice);
  }
}

void Run::sample() {
  const auto [prompt, text] = job_.sample();
  progress_.sample(trainer_.state().step, prompt, text);
}

CheckpointTexts Run::texts() const {
  Json manifest;
  manifest["format"] = "rapt checkpoint";
  manifest["step"] = trainer_.state().step;
  manifest["parent"] = parent_;
  write_inputs(inputs_, manifest);
  manifest["command"] = command_line(request_.command);
  manifest["build"] = kBuild;
  manifest["instruction_set"] = simd_target();
  manifest["matmul"] = matmul_provider();
  manifest["threads"] = thread_count();
  manifest["seconds"] = seconds();
  return {.config = to_toml(config_), .tokenizer = job_.tokenizer->to_json(), .manifest = dump_pretty(manifest)};
}

void Run::save(bool best) {
  const std::int64_t step = trainer_.state().step;
  if (last_saved_ != step || trainer_.state().finished) {
    metrics_.sync();
    save_checkpoint(folder_.checkpoint(step), trainer_, texts());
    last_saved_ = step;
    parent_ = fs::path(folder_.checkpoint(step)).filename().string();
    name_checkpoint(folder_, step, folder_.last());
  }
  if (best) name_checkpoint(folder_, step, folder_.best());
  retire_checkpoints(folder_, config_.keep_last);
}

RunResult Run::result(std::string reason, bool finished) const {
  RunResult r;
  r.finished = finished;
  r.folder = folder_.path;
  r.task = config_.task;
  r.reason = std::move(reason);
  r.steps = trainer_.state().step;
  r.best_loss = trainer_.state().best_loss;
  r.best_score = trainer_.state().best_score;
  r.metric = job_.metric;
  if (job_.bytes_per_target > 0) r.bits_per_byte = r.best_loss / (std::numbers::ln2 * job_.bytes_per_target);
  r.seconds = seconds();
  return r;
}

RunResult Run::loop() {
  if (!request_.progress.quiet) peak_ = measure_sgemm_peak();
  start_ = Clock::now();
  std::string reason = end_reason();
  RunClock before = clock();  // when it was last asked what is due: nothing that falls into a validation is lost
  while (reason.empty()) {
    const Clock::time_point began = Clock::now();
    const UpdateResult update = this->update();
    sitting_seconds_ += seconds_since(began);
    sitting_tokens_ += static_cast<double>(update.tokens);

    const RunClock now = clock();
    const bool over = trainer_.state().step >= total_steps_;
    if (due(config_.log_every, before, now) || over) {
      progress_.update(report(update));
    } else {
      progress_.tick(report(update));
    }
    bool best = false;
    if (job_.evaluate && (due(config_.eval_every, before, now) || over)) best = validate(over);
    if (job_.sample && due(config_.sample_every, before, now)) sample();
    reason = end_reason();
    if (signals_.requested() && reason.empty()) {
      save(best);
      return result(signals_.name(), false);
    }
    if (!reason.empty()) {
      trainer_.state().finished = true;
      progress_.end(trainer_.state().step, reason, seconds());
    }
    if (best || !reason.empty() || due(config_.save_every, before, now)) save(best);
    before = now;
  }
  return result(reason, true);
}

}  // namespace

namespace {

RunFolder folder_of(const TrainConfig& asked) { return {asked.out.empty() ? default_run_folder(asked) : asked.out}; }

Notice notice_of(const RunRequest& request) {
  return [&request](const std::string& text) {
    if (!request.progress.quiet) request.sink(text + "\n");
  };
}

// A temporary folder for the files that a run would write.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "rapt-settings-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw CannotCreateError("cannot create a temporary folder " + name);
    folder_.path = name;
  }
  ~ScratchFolder() {
    std::error_code none;
    fs::remove_all(folder_.path, none);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const RunFolder& folder() const { return folder_; }

 private:
  RunFolder folder_;
};

// What stage 1 of a classifier from scratch would leave, but untrained.
void leave_words(const RunRequest& request, const RunFolder& folder, const Notice& notice) {
  const Beginning words = begin_run({}, {folder.words()}, request, word_settings(request.config, folder), notice);
  save_model(RunFolder{folder.words()}.last(), words.job.network->module(),
             {.config = to_toml(words.config.values), .tokenizer = words.job.tokenizer->to_json(), .manifest = "{}"});
}

}  // namespace

LayeredConfig settle_run(const RunRequest& request) {
  const RunFolder folder = folder_of(request.config.values);
  const ScratchFolder scratch;
  const bool words_first = learns_words_first(request.config);
  const LayeredConfig wanted = words_first ? label_settings(request.config, scratch.folder()) : request.config;
  const Notice silent = [](const std::string&) {};
  if (request.resume && !fs::exists(folder.path)) throw MissingInputError("run not found: " + folder.path);
  const StandingRun standing = find_run(folder, request, wanted, silent);
  LayeredConfig settled = wanted;
  if (standing.plan == RunPlan::kFinished) {
    settled.values = standing.saved.value_or(wanted.values);
  } else {
    check_matmul_provider();
    if (words_first && standing.plan == RunPlan::kStart) leave_words(request, scratch.folder(), silent);
    settled = begin_run(standing, scratch.folder(), request, wanted, silent).config;
  }
  if (words_first) settled.values.init = folder.words();
  settled.values.out = folder.path;
  return settled;
}

RunResult run_training(const RunRequest& request, const StopSignals& signals) {
  const RunFolder folder = folder_of(request.config.values);
  const bool words_first = learns_words_first(request.config);
  const LayeredConfig wanted = words_first ? label_settings(request.config, folder) : request.config;
  const Notice notice = notice_of(request);

  std::error_code error;
  if (request.resume && !fs::exists(folder.path)) throw MissingInputError("run not found: " + folder.path);
  fs::create_directories(folder.path, error);
  if (error) throw CannotCreateError("train: cannot create " + folder.path + ": " + error.message());
  const FolderLock lock(folder.path);
  if (!lock.enforced())
    notice("train: this file system has no locks; make sure that no second run writes to " + folder.path);
  remove_leftovers(folder.path);

  const StandingRun standing = find_run(folder, request, wanted, notice);
  if (standing.plan == RunPlan::kFinished) {
    return finished_before(folder, *standing.found, standing.saved.value_or(wanted.values));
  }
  check_matmul_provider();
  if (standing.plan == RunPlan::kStart && words_first) {
    notice("train: stage 1: masked words (" + folder.words() + "); stage 2: labels");
    RunRequest step = request;
    step.config = word_settings(request.config, folder, notice);
    RunResult words = run_training(step, signals);
    if (!words.finished) {
      words.labels_to_come = true;
      return words;
    }
  }
  Beginning beginning = begin_run(standing, folder, request, wanted, notice);
  beginning.config.values.out = folder.path;
  write_file_durably(folder.config(), to_toml(beginning.config.values));
  return TrainingLoop(request, signals, folder, std::move(beginning)).run();
}

}  // namespace rapt
