// What a command does with a run folder that is already there: start, go on, or change nothing. Where what was asked
// for and what is there disagree, the message has the commands that would be right.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/files/run_folder.h"
#include "train/run/run_inputs.h"

namespace rapt {

/// What `rapt train` does with a folder.
enum class RunPlan {
  kStart,     ///< nothing there, or a run that never came to its first checkpoint
  kResume,    ///< goes on from the checkpoint found
  kFinished,  ///< the run is over: say so, change nothing
};

/// What the user typed, word by word: messages say how it would be a new run.
using CommandWords = std::vector<std::string>;

/// As a shell takes it.
std::string command_line(const CommandWords& command);

/// \param found   what newest_checkpoint gave
/// \param saved   the settings of the run that is there, if there is one
/// \param wanted  the settings asked for; only what was given (not defaults or choices) must agree
/// \param resume  the user said --resume, which may change some settings (Resuming)
/// \throws MissingInputError  --resume of a folder without a run
/// \throws CannotCreateError  a folder with other things in it; a finished run with other settings
/// \throws ConfigError        an unfinished run with other settings
RunPlan plan_run(const RunFolder& folder, const std::optional<FoundCheckpoint>& found,
                 const std::optional<TrainConfig>& saved, const LayeredConfig& wanted, bool resume,
                 const CommandWords& command = {});

/// Refuses to take a run that is there for one on other data, from another model or with another tokenizer.
/// \param ours  of the run that is there; theirs: of what is asked for
/// \throws CannotCreateError  it is finished
/// \throws ConfigError        it is not
void require_same_inputs(const RunFolder& folder, bool finished, const RunInputs& ours, const RunInputs& theirs,
                         const CommandWords& command = {});

}  // namespace rapt
