// A training run from a configuration and a folder: prepares tokenizer and data, trains, reports, saves, resumes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "train/run/orders.h"
#include "train/run/progress.h"
#include "train/run/run_plan.h"
#include "train/run/signals.h"
#include "train/settings/config_file.h"

namespace rapt {

struct RunRequest {
  LayeredConfig config;  ///< the requested settings
  bool resume = false;   ///< --resume: there must be a run to resume
  CommandWords command;  ///< as typed: for the manifest, and for commands in messages
  ProgressOptions progress;
  Progress::Sink sink;                                          ///< where lines for people go
  bool profile = false;                                         ///< print where the time of the updates went
  std::shared_ptr<Orders> orders = std::make_shared<Orders>();  ///< to the other processes of the run
};

struct RunResult {
  bool finished = false;        ///< the run reached its end; otherwise it was interrupted and can be resumed
  bool already = false;         ///< it had already been finished: nothing was changed
  bool labels_to_come = false;  ///< interrupted during stage 1 (self_pretraining.h)
  std::string folder;
  std::string task;    ///< as in --task
  std::string reason;  ///< "steps", "epochs", "tokens", "minutes", "early-stop"; the signal's name if interrupted
  std::int64_t steps = 0;
  double best_loss = 0;      ///< of the best validation, in nats; infinite if there was none
  double bits_per_byte = 0;  ///< the same as bits per byte, for a language model; 0 for others
  std::string metric;        ///< the metric that selects the best checkpoint: "loss", or the name of a metric
  double best_score = 0;     ///< the best value of that metric; the negative for a loss
  double seconds = 0;        ///< of training, including earlier sessions
};

/// All settings that the run would have, including chosen ones, as it would write them to its config.toml. Reads the
/// data and measures the speed of the machine, like the run itself, and leaves no files.
/// \throws Error  as run_training, except for errors during training
LayeredConfig settle_run(const RunRequest& request);

/// Performs a whole `rapt train`, which for a classifier from scratch consists of two runs.
/// \throws Error  with the exit code: settings 64, data 65, missing input 66, locked 73, disk 74, disagreement with the
///                existing run 78, not finite 79
RunResult run_training(const RunRequest& request, const StopSignals& signals);

}  // namespace rapt
