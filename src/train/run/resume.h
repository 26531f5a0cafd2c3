// How an existing run continues: with its own settings, with the changes that --resume makes, and, for a new length, in
// a new stretch of its schedule.
//
// A stretch is a schedule of its own. From the update where it starts to the new end, the learning rate warms up and
// then decays as --schedule says (warm restarts: Loshchilov, Hutter 2017, arXiv 1608.03983, section 3). Its start is a
// setting, stretch-start, so that a run that is stopped in its second stretch resumes as exactly as one that is stopped
// in its first.
#pragma once

#include "text/corpus/corpus_sources.h"
#include "train/files/run_folder.h"

namespace rapt {

struct Resumption {
  TrainConfig config;        ///< the settings with which the run continues
  double more_minutes = 0;   ///< > 0: the stretch ends after as many updates as fit into this many minutes
  bool new_stretch = false;  ///< a new stretch starts at the checkpoint
};

/// \param saved      the settings of the existing run
/// \param wanted     the requested settings
/// \param done       the checkpoint to continue from
/// \param requested  the user gave --resume; otherwise only settings that are free to differ are taken from `wanted`
/// \param notice     receives the changes
/// \throws UsageError  for lengths that are inconsistent with each other or with the run
Resumption resume_from(const TrainConfig& saved, const LayeredConfig& wanted, const CheckpointSummary& done,
                       bool requested, const Notice& notice);

/// Whether --resume asks a finished run for anything new.
bool asks_for_more(const TrainConfig& saved, const LayeredConfig& wanted);

/// Whether a finished run was extended since: its settings name a stretch that starts at its end.
bool was_extended(const TrainConfig& saved, const CheckpointSummary& done);

/// Limits the warm-up of the new stretch to a tenth of it, checks that the stretch is not empty, and reports it.
/// \param total  number of updates of the run at the stretch's end
/// \throws UsageError  for an end that the run has already passed
void fit_stretch(TrainConfig& config, std::int64_t total, const Notice& notice);

}  // namespace rapt
