// Code that the labelled tasks share: how their settings determine the way data is read. Used by the training job, and
// by evaluation and prediction.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/corpus/corpus_sources.h"
#include "train/labelled/labelled_data.h"
#include "train/optimise/trainer.h"
#include "train/settings/train_config.h"

namespace rapt {

/// How a run with these settings reads labelled data.
/// \throws UsageError  for a separator that is not one character
LabelledOptions labelled_options(const TrainConfig& config);

/// The metric that selects the best checkpoint of a run: "loss" if nothing is labelled, else --metric or the task's
/// default.
std::string deciding_metric(const TrainConfig& config);

/// How it makes sequences from texts.
SequenceFrame frame_of(const TrainConfig& config, std::shared_ptr<const Tokenizer> tokenizer);

/// The texts of the settings' examples (the words of a tagged sentence, joined with spaces), for training on texts
/// alone.
///
/// \param told  receives the summary (tell_examples), if set
/// \throws MissingInputError, DataError, UsageError  as LabelledData::read
std::vector<std::string> texts_of(const TrainConfig& config, const Notice& told = nullptr);

/// Batches of the data in an order that is new in each epoch: sample i of a run is a function of (seed, i).
TrainingData training_data(const TrainConfig& config, std::shared_ptr<const LabelledData> data);

}  // namespace rapt
