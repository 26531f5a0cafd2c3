// A training run from a configuration and a folder: prepares tokenizer and data, trains, tells, saves, resumes.
#pragma once

#include <cstdint>
#include <string>

#include "train/run/progress.h"
#include "train/run/run_plan.h"
#include "train/run/signals.h"
#include "train/settings/config_file.h"

namespace rapt {

struct RunRequest {
  LayeredConfig config;  ///< what was asked for
  bool resume = false;   ///< --resume: there must be a run to go on with
  CommandWords command;  ///< as it was typed: for the manifest, and for messages that say what to type
  ProgressOptions progress;
  Progress::Sink sink;  ///< where lines for people go
};

struct RunResult {
  bool finished = false;        ///< the run came to its end; otherwise it was interrupted and can be resumed
  bool already = false;         ///< it had come to its end before: nothing was changed
  bool labels_to_come = false;  ///< it was interrupted while it learnt words (self_pretraining.h)
  std::string folder;
  std::string task;    ///< as --task has it
  std::string reason;  ///< "steps", "epochs", "tokens", "minutes", "early-stop"; the signal's name if interrupted
  std::int64_t steps = 0;
  double best_loss = 0;      ///< of the best validation, in nats; infinite if there was none
  double bits_per_byte = 0;  ///< the same of a language model's text; 0 for others
  std::string metric;        ///< what decided which is the best: "loss", or the name of a metric
  double best_score = 0;     ///< that metric at its best; the negative of a loss
  double seconds = 0;        ///< of training, earlier sittings included
};

/// The settings that the run would have, everything chosen, as it would write them into its config.toml. Reads the data
/// and measures the machine's pace, as the run itself does, and leaves nothing behind.
/// \throws Error  as run_training, but for what only training shows
LayeredConfig settle_run(const RunRequest& request);

/// Does a whole `rapt train`, which for a classifier from scratch are two runs.
/// \throws Error  with the exit code: settings 64, data 65, missing input 66, locked 73, disk 74, disagreement with the
///                run that is there 78, not finite 79
RunResult run_training(const RunRequest& request, const StopSignals& signals);

}  // namespace rapt
