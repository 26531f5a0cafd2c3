// What the labelled tasks share: how their settings say that data is to be read. Used by the job that trains, and by
// what judges and predicts afterwards.
#pragma once

#include "train/labelled_data.h"
#include "train/train_config.h"

namespace rapt {

/// How a run of these settings reads labelled data.
/// \throws UsageError  a separator that is not one character
LabelledOptions labelled_options(const TrainConfig& config);

/// How it makes sequences of texts.
SequenceFrame frame_of(const TrainConfig& config, std::shared_ptr<const Tokenizer> tokenizer);

}  // namespace rapt
