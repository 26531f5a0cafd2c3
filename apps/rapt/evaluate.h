// rapt eval, by kind of model. The forward passes are divided among the processes of a team. The language model's part
// is in cmd_eval.cpp.
#pragma once

#include "options.h"
#include "train/files/pretrained.h"
#include "train/team/team.h"

namespace rapt::app {

/// Evaluates masked words and next sentences on a text, or on sequences from `rapt data build`.
int eval_masked_words(const Arguments& arguments, const Pretrained& model, Team& team);

/// Evaluates the metrics of a task on labelled data.
int eval_labelled(const Arguments& arguments, const Pretrained& model, Team& team);

}  // namespace rapt::app
