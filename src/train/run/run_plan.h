// What a command does with an existing run folder: start, resume, or change nothing. If the request and the folder
// disagree, the message contains the correct commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/files/run_folder.h"
#include "train/run/run_inputs.h"

namespace rapt {

/// What `rapt train` does with a folder.
enum class RunPlan {
  kStart,     ///< there is nothing, or a run without a checkpoint
  kResume,    ///< resumes from the checkpoint found
  kFinished,  ///< the run is finished: report it, change nothing
};

/// The command line as words, from which messages build the command for a new run.
using CommandWords = std::vector<std::string>;

/// Quoted for a shell.
std::string command_line(const CommandWords& command);

/// \param found   the result of newest_checkpoint
/// \param saved   the settings of the existing run, if there is one
/// \param wanted  the requested settings; only given ones (not defaults or choices) must agree
/// \param resume  the user gave --resume, which may change some settings (Resuming)
/// \throws MissingInputError  for --resume of a folder without a run
/// \throws CannotCreateError  for a folder with other files, or a finished run with other settings
/// \throws ConfigError        for an unfinished run with other settings
RunPlan plan_run(const RunFolder& folder, const std::optional<FoundCheckpoint>& found,
                 const std::optional<TrainConfig>& saved, const LayeredConfig& wanted, bool resume,
                 const CommandWords& command = {});

/// Rejects an existing run with other data, another initial model or another tokenizer.
/// \param ours  inputs of the existing run; theirs: of the request
/// \throws CannotCreateError  if it is finished
/// \throws ConfigError        if it is not
void require_same_inputs(const RunFolder& folder, bool finished, const RunInputs& ours, const RunInputs& theirs,
                         const CommandWords& command = {});

}  // namespace rapt
