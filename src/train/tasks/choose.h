// Chooses the settings that were not given, if they depend on the data, the cores and the minutes. Pure functions of
// facts; settle.h asks for the facts and calls these functions in order.
#pragma once

#include <cstdint>

#include "text/corpus/corpus.h"
#include "train/settings/recipes.h"
#include "train/tasks/pace.h"

namespace rapt {

/// Facts about the batches that settings depend on.
struct BatchFacts {
  std::int64_t samples_per_epoch = 0;
  double tokens_per_sample = 0;   ///< on average
  double validation_tokens = 0;   ///< tokens of a validation on all held-out data; 0: nothing is held out
  std::int64_t most_updates = 0;  ///< of --most-epochs; 0: no limit
  std::int64_t parameters = 0;    ///< of the network
};

/// Limits a preset's warm-up to a tenth of the run if --steps is less than the warm-up.
void fit_warmup(LayeredConfig& config, const Notice& notice);

/// Limits a preset's --max-length to the context.
/// \throws UsageError  if a requested one is longer
void fit_max_length(LayeredConfig& config);

/// Chooses a tokenizer of this kind, if none is given, and its vocabulary size from the amount of text and the number
/// of distinct characters.
void choose_tokenizer(LayeredConfig& config, const char* kind, const CorpusInfo& text);

/// A vocabulary of about this many entries, with room for all characters, at the start of a word and within.
/// \param most  maximum number of entries for any text
std::int64_t vocabulary_for(double entries, std::size_t different_characters, std::int64_t most);

/// Limits a chosen context to the held-out text; a longer one would leave nothing to validate on.
/// \param validation  number of held-out tokens
void fit_context(LayeredConfig& config, std::int64_t validation);

/// How a run given in minutes validates, so that all validations together stay within their share of the time.
struct ValidationPlan {
  int count = 10;    ///< number of validations, including the last one
  double part = 1;   ///< share of the held-out data that each of them reads
  double whole = 1;  ///< share that is read once more at the end; 1: everything
};
/// \param full     seconds of a validation on all held-out data
/// \param allowed  seconds for all of them together
ValidationPlan plan_validations(double full, double allowed);

/// How many updates of a run fit into this many minutes, including its validations.
std::int64_t updates_in_minutes(double minutes, const TrainConfig& config, const Pace& pace, double validation_tokens);

/// Chooses the number of updates that fit into --minutes (5 if not given) and --most-epochs, and the settings that
/// depend on it: schedule, warm-up, periods, dropout.
/// \pre !has_end(config.values)
/// \param notice  receives the choices
void choose_length(LayeredConfig& config, const BatchFacts& batches, const Pace& pace, const Notice& notice);

}  // namespace rapt
