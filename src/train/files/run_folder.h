// The folder of one run: what its files are called, and its checkpoints on disk.
//
//     config.toml       the effective settings: rapt train --config runs/my/config.toml repeats the run
//     metrics.jsonl     what happened (train/run/metrics_log.h)
//     data.h5           the tokenised text
//     step-00000500.h5  checkpoints; last.h5 and best.h5 are further names (hard links) of two of them
//     words             a run that comes first, of masked words (train/tasks/self_pretraining.h)
//     lock              who is at work here (io/lock_file.h)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/settings/config_file.h"

namespace rapt {

/// The paths of a run folder, whether it exists or not.
struct RunFolder {
  std::string path;

  std::string config() const { return path + "/config.toml"; }
  std::string metrics() const { return path + "/metrics.jsonl"; }
  std::string data() const { return path + "/data.h5"; }
  std::string last() const { return path + "/last.h5"; }
  std::string best() const { return path + "/best.h5"; }
  std::string words() const { return path + "/words"; }
  std::string checkpoint(std::int64_t step) const;

  /// Numbers of the checkpoints named by step, lowest first.
  std::vector<std::int64_t> steps() const;
};

/// Where a run goes without --out: `runs/my` for my.txt, my.jsonl.gz or the folder my, `runs/stdin` for standard input;
/// behind that what tells runs on the same data apart, where it was given: `runs/my-bert`, `runs/my-classify`. A run
/// from --init has the model's name first and its task: `runs/bert-tiny-classify-my`.
std::string default_run_folder(const TrainConfig& config);

/// What a checkpoint file says about the run without loading it.
struct CheckpointSummary {
  std::int64_t step = 0;
  bool finished = false;  ///< the run had come to its end
};

/// Reads a whole checkpoint's envelope and checksum. Throws rapt::Error if it is not whole.
using InspectCheckpoint = std::function<CheckpointSummary(const std::string& path)>;

struct FoundCheckpoint {
  std::string path;
  CheckpointSummary summary;
  std::vector<std::string> skipped;  ///< newer files that are not whole, with the reason: what the user is told
};

/// The newest checkpoint of a run that proves whole, whatever it is called; nothing if there is none. Names that end in
/// .tmp.<pid> are never looked at.
/// \throws DataError  if there are checkpoints and none of them is whole
std::optional<FoundCheckpoint> newest_checkpoint(const RunFolder& folder, const InspectCheckpoint& inspect);

/// Gives the checkpoint of `step` the further name `name` (last() or best()), in place of what had it, at one instant.
/// \throws IoError
void name_checkpoint(const RunFolder& folder, std::int64_t step, const std::string& name);

/// Removes all but the `keep` newest checkpoints named by step, oldest first. What best.h5 or last.h5 name stays on
/// disk under those names.
void retire_checkpoints(const RunFolder& folder, std::int64_t keep);

/// Removes the folder if nothing is in it but an unused lock: what a run leaves that failed before it began.
void remove_if_unused(const RunFolder& folder);

}  // namespace rapt
