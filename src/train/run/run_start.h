// The steps before a run's first update: which run exists, how it continues, and the job that its settings describe.
#pragma once

#include <memory>
#include <optional>

#include "text/corpus/corpus_sources.h"
#include "train/files/checkpoint_file.h"
#include "train/run/run.h"
#include "train/run/run_inputs.h"
#include "train/tasks/job.h"

namespace rapt {

/// The contents of a run's folder, and what to do about it.
struct StandingRun {
  RunPlan plan = RunPlan::kStart;
  std::optional<FoundCheckpoint> found;
  std::optional<TrainConfig> saved;  ///< the settings of the existing run
  std::optional<RunInputs> inputs;   ///< the inputs with which it continues, if they were compared with its own
};

/// \param wanted  the requested settings; for a classifier from scratch, those of stage 2
/// \throws MissingInputError, CannotCreateError, ConfigError  as plan_run and require_same_inputs
StandingRun find_run(const RunFolder& folder, const RunRequest& request, const LayeredConfig& wanted,
                     const Notice& notice);

/// A run that is ready to train.
struct Beginning {
  LayeredConfig config;  ///< all settings
  Job job = {};
  RunInputs inputs = {};
  std::unique_ptr<CheckpointFile> from = {};  ///< the checkpoint to continue from; nullptr: a new run
};

/// Chooses the settings that were not given, and prepares the job.
/// \param folder  receives the tokenised data
/// \throws Error  as run_training
Beginning begin_run(const StandingRun& standing, const RunFolder& folder, const RunRequest& request,
                    const LayeredConfig& wanted, const Notice& notice);

/// The program, for manifests: "rapt 0.1.0 (12.2.0)".
std::string build_name();

/// Threads and precision as the settings say.
void prepare_computing(const TrainConfig& config, const Notice& notice);

/// The manifest of a checkpoint (docs/checkpoints.md).
Json manifest_of(const CheckpointFile& file);
/// A line for the log if other kernels or other products than this process uses computed the checkpoint with this
/// manifest; else "".
std::string other_kernels(const Json& manifest);
/// The training time before a checkpoint, in seconds, from its manifest.
double seconds_before(const CheckpointFile& file);

}  // namespace rapt
