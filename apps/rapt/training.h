// What the commands that train share: train, finetune.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options.h"
#include "train/run/run.h"

namespace rapt::app {

/// The options of a run that are no settings: --resume, --config, --print-config, --seeds, --json.
std::vector<Option> training_options();

/// The flags and the file of --config as settings, what stands without dashes as data.
LayeredConfig config_of(const Arguments& arguments);

/// Trains what the settings say, or with --print-config shows them, or with --seeds trains once for each seed.
/// \param verb  what messages call the command: `train`
/// \return      the exit code
int run_training_command(const Arguments& arguments, const LayeredConfig& config, const std::string& verb);

/// One run: trains, and takes the folder away again if it was made for a run that could not begin.
RunResult train_one(const RunRequest& request, const StopSignals& signals);

/// The metrics of a run's best validation, from its metrics.jsonl; nothing if there was none.
std::vector<std::pair<std::string, double>> best_validation(const std::string& folder);

/// --seeds: seed after seed into folders of their own, and a table of what came out.
int run_seeds(const Arguments& arguments, const RunRequest& request, const std::string& verb);

}  // namespace rapt::app
