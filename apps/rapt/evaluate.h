// rapt eval, by what the model is. The language model's is in cmd_eval.cpp.
#pragma once

#include "options.h"
#include "train/files/pretrained.h"

namespace rapt::app {

/// Masked words and next sentences of a text, or of the sequences that `rapt data build` made of one.
int eval_masked_words(const Arguments& arguments, const Pretrained& model);

/// The metrics of a task, on labelled data.
int eval_labelled(const Arguments& arguments, const Pretrained& model);

}  // namespace rapt::app
