#include "train/run/run.h"

#include <filesystem>

#include "io/durable_file.h"
#include "io/lock_file.h"
#include "tensor/error.h"
#include "tensor/matmul.h"
#include "train/files/checkpoint.h"
#include "train/files/scratch_folder.h"
#include "train/run/resume.h"
#include "train/run/run_start.h"
#include "train/run/training_loop.h"
#include "train/tasks/labelled_task.h"
#include "train/tasks/self_pretraining.h"

namespace rapt {

namespace fs = std::filesystem;

namespace {

// The report on a run that was already finished.
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

RunFolder folder_of(const TrainConfig& asked) { return {asked.out.empty() ? default_run_folder(asked) : asked.out}; }

Notice notice_of(const RunRequest& request) {
  return [&request](const std::string& text) {
    if (!request.progress.quiet) request.sink(text + "\n");
  };
}

// What stage 1 of a classifier from scratch would leave, but untrained.
void leave_words(const RunRequest& request, const RunFolder& folder, const Notice& notice) {
  const Beginning words = begin_run({}, {folder.words()}, request, word_settings(request.config, folder), notice);
  save_model(RunFolder{folder.words()}.last(), words.job.network->module(),
             {.config = to_toml(words.config.values), .tokenizers = words.job.tokenizers, .manifest = "{}"});
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
