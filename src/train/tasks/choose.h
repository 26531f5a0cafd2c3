// What a run does about settings that nobody gave: size, recipe and length from the data, the cores and the minutes.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "text/batches/token_store.h"
#include "text/corpus/corpus.h"
#include "train/models/networks.h"
#include "train/optimise/trainer.h"
#include "train/settings/config_file.h"

namespace rapt {

/// Sets a setting unless the user or a preset said something about it.
void choose(LayeredConfig& config, const char* name, const std::string& value);

void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values);

/// The recipe that a BERT is taught further with: Devlin et al. 2018, appendix A.3, and google-research/bert,
/// run_classifier.py.
void choose_fine_tuning(LayeredConfig& config);

/// The recipe that a language model gets used to other text with: a small rate that falls to nothing, few passes.
/// Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", section 4.1.
void choose_adaptation(LayeredConfig& config);

/// Whether the settings say how long to train. With --steps given, nothing is chosen by cores or clock.
bool has_end(const TrainConfig& config);

/// --minutes, or those that a run takes if nobody says how long.
double minutes_of(const TrainConfig& config);

/// Shortens a warm-up that a preset wants to a tenth of a run that was given fewer --steps than it.
void fit_warmup(LayeredConfig& config, const Notice& notice);

/// Shortens a --max-length that a preset wants to the context.
/// \throws UsageError  one that was asked for and is longer
void fit_max_length(LayeredConfig& config);

/// How a run of some minutes validates, so that all validations together take no more than their share of them.
struct ValidationPlan {
  int count = 10;    ///< validations, the last one included
  double part = 1;   ///< share of the held-out data that each of them reads
  double whole = 1;  ///< share that is read once more at the end; 1: everything
};
/// \param full     seconds of a validation that reads everything
/// \param allowed  seconds for all of them together
ValidationPlan plan_validations(double full, double allowed);

/// How many updates of a run take so many minutes, its validations included: measured on a throw-away copy.
std::int64_t updates_in_minutes(double minutes, const TrainConfig& config, const NetworkConfig& network,
                                const TrainingData& data, double validation_tokens);

/// Chooses a tokenizer of this kind, if none is given, and the size of its vocabulary by how much text there is and how
/// many characters it is written in.
void choose_tokenizer(LayeredConfig& config, const char* kind, const CorpusInfo& text);

/// A vocabulary of about so many entries, in which all characters have a place, at the beginning of a word and within.
/// \param most  entries, for whatever text
std::int64_t vocabulary_for(double entries, std::size_t different_characters, std::int64_t most);

/// Chooses the network, batch and learning rate of a language model, if no preset has them and no length is given, by
/// how many operations fit into the minutes on this machine.
void choose_network(LayeredConfig& config, const TokenStore& store, const Notice& notice);

/// Chooses how many updates fit into --minutes (5 if not given) and --most-epochs, and what goes with that: schedule,
/// warm-up, periods, dropout. Measures how fast this machine trains the network by training a throw-away copy for a
/// moment. Nothing if the settings say how long to train. \param validation_tokens  what one validation reads \param
/// notice             told what was chosen
void choose_length(LayeredConfig& config, const NetworkConfig& network, const TrainingData& data,
                   double validation_tokens, const Notice& notice);

}  // namespace rapt
