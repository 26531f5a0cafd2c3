// Whether settings agree: those of a run that is there with those that are asked for, and those that were typed with
// the run that they are for.
#pragma once

#include <string>
#include <vector>

#include "train/settings/config_file.h"
#include "train/settings/settings.h"

namespace rapt {

/// A setting in which two configurations differ, with both values as people would type them.
struct Difference {
  std::string name, ours, theirs;
};

/// What differs between two configurations, settings that are free to differ left out. Files are compared by what is in
/// them, elsewhere (run_inputs.h).
/// \param resuming  kOnRequest: those that --resume may change are left out as well
std::vector<Difference> differences(const TrainConfig& ours, const TrainConfig& theirs,
                                    Resuming resuming = Resuming::kFree);

/// Refuses settings that somebody typed and that mean nothing to such a run.
/// \throws UsageError  naming the setting and the runs it belongs to
void require_applicable(const LayeredConfig& config);

}  // namespace rapt
