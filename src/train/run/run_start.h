// What comes before a run's first update: which run is there, how it goes on, and the job that its settings describe.
#pragma once

#include <memory>
#include <optional>

#include "text/corpus/corpus_sources.h"
#include "train/files/checkpoint_file.h"
#include "train/run/run.h"
#include "train/run/run_inputs.h"
#include "train/tasks/job.h"

namespace rapt {

/// What stands in a run's folder, and what is to be done about it.
struct StandingRun {
  RunPlan plan = RunPlan::kStart;
  std::optional<FoundCheckpoint> found;
  std::optional<TrainConfig> saved;  ///< the settings of the run that is there
  std::optional<RunInputs> inputs;   ///< that it goes on with, where they were compared with those it had
};

/// \param wanted  what was asked for; of a classifier from scratch, the settings of the labels
/// \throws MissingInputError, CannotCreateError, ConfigError  as plan_run and require_same_inputs
StandingRun find_run(const RunFolder& folder, const RunRequest& request, const LayeredConfig& wanted,
                     const Notice& notice);

/// A run that is ready to train.
struct Beginning {
  LayeredConfig config;  ///< all of it
  Job job = {};
  RunInputs inputs = {};
  std::unique_ptr<CheckpointFile> from = {};  ///< that is gone on from; nullptr: a new run
};

/// Chooses what nobody gave, and prepares the job.
/// \param folder  where tokenised data goes
/// \throws Error  as run_training
Beginning begin_run(const StandingRun& standing, const RunFolder& folder, const RunRequest& request,
                    const LayeredConfig& wanted, const Notice& notice);

/// The manifest of a checkpoint (docs/checkpoints.md).
Json manifest_of(const CheckpointFile& file);

}  // namespace rapt
