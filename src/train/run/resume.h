// How a run that is there goes on: with the settings it had, with what --resume changes in them, and, past its end or
// to another one, in a new stretch of its schedule.
//
// A stretch is a schedule of its own: from the update after which it begins to the new end, the rate rises through the
// warm-up and falls as --schedule says (warm restarts: Loshchilov, Hutter 2017, arXiv 1608.03983, section 3). Where it
// begins is a setting, stretch-start, so that a run which is stopped in its second stretch resumes as exactly as one
// that is stopped in its first.
#pragma once

#include "text/corpus/corpus_sources.h"
#include "train/files/run_folder.h"

namespace rapt {

struct Resumption {
  TrainConfig config;        ///< that the run goes on with
  double more_minutes = 0;   ///< > 0: the stretch ends after as many updates as fit into so many minutes
  bool new_stretch = false;  ///< one begins at the checkpoint
};

/// \param saved      the settings of the run that is there
/// \param wanted     what was asked for now
/// \param done       the checkpoint that is gone on from
/// \param requested  the user said --resume; otherwise only what is free to differ is taken from `wanted`
/// \param notice     told what changes
/// \throws UsageError  lengths that do not fit each other, or the run
Resumption resume_from(const TrainConfig& saved, const LayeredConfig& wanted, const CheckpointSummary& done,
                       bool requested, const Notice& notice);

/// Whether --resume asks a run that has ended for anything but what it did.
bool asks_for_more(const TrainConfig& saved, const LayeredConfig& wanted);

/// Whether a run that had ended was asked to go on since: its settings name a stretch that begins at its end.
bool was_extended(const TrainConfig& saved, const CheckpointSummary& done);

/// Shortens a warm-up of the new stretch to a tenth of it, checks that it leads anywhere, and tells where.
/// \param total  updates of the run, at the stretch's end
/// \throws UsageError  an end that the run has passed
void fit_stretch(TrainConfig& config, std::int64_t total, const Notice& notice);

}  // namespace rapt
