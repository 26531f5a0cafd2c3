// Judging encoder-decoders on pairs of texts: rapt eval and rapt score with --source and --target.
#pragma once

#include "options.h"
#include "train/files/pretrained.h"
#include "train/team/team.h"

namespace rapt::app {

/// --source, --target, and how eval translates.
std::vector<Option> pair_options();

/// Translates the sources with each model of the arguments and compares the texts with the targets: BLEU, chrF ...
/// Several models are compared by paired tests.
int eval_pairs(const Arguments& arguments, Team& team);

/// Prints the log-probability of each target, given its source.
int score_pairs(const Arguments& arguments);

}  // namespace rapt::app
