// Reports the text before training: how much there is, what is held out, how often it will be read.
#pragma once

#include "text/batches/token_store.h"
#include "train/optimise/trainer.h"
#include "train/settings/train_config.h"

namespace rapt {

/// Reports a tokenised text, and warns if nothing is held out.
///
///     data: mails.jsonl: 1.1 MiB in 4,000 documents, 498,012 tokens
///     data: the last 49,801 tokens are held out for validation
///
/// \param whole_files  documents are files, whose number is not reported, and one of them may be split for validation
void tell_text(const TrainConfig& config, const TokenStore& store, bool whole_files, const Notice& notice);

/// Warns of a run that makes very many passes over little data.
/// \param total_steps  number of updates
void warn_of_passes(const TrainConfig& config, const TrainingData& data, std::int64_t total_steps,
                    const Notice& notice);

}  // namespace rapt
