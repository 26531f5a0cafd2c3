// What a run says about its text before it trains: how much there is, what is held out, how often it will be read.
#pragma once

#include "text/batches/token_store.h"
#include "train/optimise/trainer.h"
#include "train/settings/train_config.h"

namespace rapt {

/// Tells of a text that has been tokenised, and warns when nothing is held out.
///
///     data: mails.jsonl: 1.1 MiB in 4,000 documents, 498,012 tokens
///     data: the last 49,801 tokens of them are held out for validation
///
/// \param whole_files  documents are files, whose number says little, and one of them may be cut for the validation
void tell_text(const TrainConfig& config, const TokenStore& store, bool whole_files, const Notice& notice);

/// Warns of a run that reads very little data very often.
/// \param total_steps  its updates
void warn_of_passes(const TrainConfig& config, const TrainingData& data, std::int64_t total_steps,
                    const Notice& notice);

}  // namespace rapt
