// Compares settings: those of an existing run with the requested ones, and typed ones with the kind of run.
#pragma once

#include <string>
#include <vector>

#include "train/settings/config_file.h"
#include "train/settings/settings.h"

namespace rapt {

/// A setting in which two configurations differ, with both values as on the command line.
struct Difference {
  std::string name, ours, theirs;
};

/// The differences between two configurations, except for settings that are free to differ. Files are compared by
/// content elsewhere (run_inputs.h).
/// \param resuming  kOnRequest: also ignores those that --resume may change
std::vector<Difference> differences(const TrainConfig& ours, const TrainConfig& theirs,
                                    Resuming resuming = Resuming::kFree);

/// Rejects typed settings that do not apply to such a run.
/// \throws UsageError  naming the setting and the runs it applies to
void require_applicable(const LayeredConfig& config);

}  // namespace rapt
