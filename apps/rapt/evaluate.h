// rapt eval, by kind of model. The language model's part is in cmd_eval.cpp.
#pragma once

#include "options.h"
#include "train/files/pretrained.h"

namespace rapt::app {

/// Evaluates masked words and next sentences on a text, or on sequences from `rapt data build`.
int eval_masked_words(const Arguments& arguments, const Pretrained& model);

/// Evaluates the metrics of a task on labelled data.
int eval_labelled(const Arguments& arguments, const Pretrained& model);

}  // namespace rapt::app
