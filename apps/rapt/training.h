// Shared by the commands that train: train, finetune.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options.h"
#include "train/run/run.h"

namespace rapt::app {

/// The options of a run that are not settings: --resume, --config, --print-config, --profile, --seeds, --json.
std::vector<Option> training_options();

/// The options and the file of --config as settings; arguments without dashes as data.
LayeredConfig config_of(const Arguments& arguments);

/// Trains as the settings say; with --print-config, prints them; with --seeds, trains once per seed.
/// \param verb  the name of the command in messages: `train`
/// \return      the exit code
int run_training_command(const Arguments& arguments, const LayeredConfig& config, const std::string& verb);

/// One run: trains, and removes the folder if it was created for a run that could not start.
RunResult train_one(const RunRequest& request, const StopSignals& signals);

/// The metrics of a run's best validation, from its metrics.jsonl; nothing if there was none.
std::vector<std::pair<std::string, double>> best_validation(const std::string& folder);

/// --seeds: one run per seed, each in its own folder, and a table of the results.
int run_seeds(const Arguments& arguments, const RunRequest& request, const std::string& verb);

}  // namespace rapt::app
