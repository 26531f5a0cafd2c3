// What a run does about settings that nobody gave, where they depend on the data, the cores and the minutes. Pure
// functions of facts; settle.h asks for these facts and calls them in order.
#pragma once

#include <cstdint>

#include "text/corpus/corpus.h"
#include "train/settings/recipes.h"
#include "train/tasks/pace.h"

namespace rapt {

/// The data as batches, as far as settings depend on it.
struct BatchFacts {
  std::int64_t samples_per_epoch = 0;
  double tokens_per_sample = 0;   ///< on average
  double validation_tokens = 0;   ///< that a validation of everything reads; 0: nothing is held out
  std::int64_t most_updates = 0;  ///< of --most-epochs; 0: no limit
  std::int64_t parameters = 0;    ///< of the network
};

/// Shortens a warm-up that a preset wants to a tenth of a run that was given fewer --steps than it.
void fit_warmup(LayeredConfig& config, const Notice& notice);

/// Shortens a --max-length that a preset wants to the context.
/// \throws UsageError  one that was asked for and is longer
void fit_max_length(LayeredConfig& config);

/// Chooses a tokenizer of this kind, if none is given, and the size of its vocabulary by how much text there is and how
/// many characters it is written in.
void choose_tokenizer(LayeredConfig& config, const char* kind, const CorpusInfo& text);

/// A vocabulary of about so many entries, in which all characters have a place, at the beginning of a word and within.
/// \param most  entries, for whatever text
std::int64_t vocabulary_for(double entries, std::size_t different_characters, std::int64_t most);

/// A context that is longer than the held-out text would leave nothing to validate on: shortens one that was chosen.
/// \param validation  held-out tokens
void fit_context(LayeredConfig& config, std::int64_t validation);

/// How a run of some minutes validates, so that all validations together take no more than their share of them.
struct ValidationPlan {
  int count = 10;    ///< validations, the last one included
  double part = 1;   ///< share of the held-out data that each of them reads
  double whole = 1;  ///< share that is read once more at the end; 1: everything
};
/// \param full     seconds of a validation that reads everything
/// \param allowed  seconds for all of them together
ValidationPlan plan_validations(double full, double allowed);

/// How many updates of a run take so many minutes, its validations included.
std::int64_t updates_in_minutes(double minutes, const TrainConfig& config, const Pace& pace, double validation_tokens);

/// Chooses how many updates fit into --minutes (5 if not given) and --most-epochs, and what goes with that: schedule,
/// warm-up, periods, dropout.
/// \pre !has_end(config.values)
/// \param notice  told what was chosen
void choose_length(LayeredConfig& config, const BatchFacts& batches, const Pace& pace, const Notice& notice);

}  // namespace rapt
