// The folder of one run: the names of its files, and its checkpoints on disk.
//
//     config.toml       the effective settings: rapt train --config runs/my/config.toml repeats the run
//     metrics.jsonl     the events of the run (train/run/metrics_log.h)
//     data.h5           the tokenised text
//     step-00000500.h5  checkpoints; last.h5 and best.h5 are second names (hard links) of two of them
//     averaged.h5       the average of the last checkpoints, if it is the best (--average-last)
//     words             the run of stage 1, masked words (train/tasks/self_pretraining.h)
//     lock              the process that uses the folder (io/lock_file.h)
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
  std::string averaged() const { return path + "/averaged.h5"; }
  std::string words() const { return path + "/words"; }
  std::string checkpoint(std::int64_t step) const;

  /// The step numbers of the checkpoints named by step, lowest first.
  std::vector<std::int64_t> steps() const;
};

/// The default run folder without --out: `runs/my` for my.txt, my.jsonl.gz or the folder my, `runs/my-de-en` for the
/// pairs my.de and my.en, and `runs/stdin` for standard input, followed by the settings that distinguish runs on the
/// same data, if given: `runs/my-bert`, `runs/my-classify`. For a run from --init, it starts with the model's name and
/// the task: `runs/bert-tiny-classify-my`.
std::string default_run_folder(const TrainConfig& config);

/// Facts about the run of a checkpoint file, without loading it.
struct CheckpointSummary {
  std::int64_t step = 0;
  bool finished = false;  ///< the run was finished
};

/// Reads a checkpoint's header and verifies its checksum. Throws rapt::Error if it is damaged.
using InspectCheckpoint = std::function<CheckpointSummary(const std::string& path)>;

struct FoundCheckpoint {
  std::string path;
  CheckpointSummary summary;
  std::vector<std::string> skipped;  ///< newer files that are damaged, with the reason; to be reported
};

/// The newest intact checkpoint of a run, whatever its name; nothing if there are no checkpoints. Names that end in
/// .tmp.<pid> are ignored.
/// \throws DataError  if there are checkpoints and none of them is intact
std::optional<FoundCheckpoint> newest_checkpoint(const RunFolder& folder, const InspectCheckpoint& inspect);

/// Gives a checkpoint of the folder the second name `name` (last() or best()), atomically replacing the previous file
/// of that name. \throws IoError
void name_checkpoint(const RunFolder& folder, const std::string& checkpoint, const std::string& name);

/// Removes all but the `keep` newest checkpoints named by step, oldest first. Those that are also best.h5 or last.h5
/// stay on disk under those names.
void retire_checkpoints(const RunFolder& folder, std::int64_t keep);

/// Removes the folder if it holds nothing but an unused lock: for a run that failed before it started.
void remove_if_unused(const RunFolder& folder);

}  // namespace rapt
