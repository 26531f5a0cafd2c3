// What a run does about settings that nobody gave: size, recipe and length from the data, the cores and the minutes.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "text/corpus.h"
#include "text/token_store.h"
#include "train/config_file.h"
#include "train/networks.h"
#include "train/trainer.h"

namespace rapt {

/// Sets a setting unless the user or a preset said something about it.
void choose(LayeredConfig& config, const char* name, const std::string& value);

void choose_all(LayeredConfig& config, std::initializer_list<std::pair<const char*, std::string>> values);

/// The recipe that a BERT is taught further with: Devlin et al. 2018, appendix A.3, and google-research/bert,
/// run_classifier.py.
void choose_fine_tuning(LayeredConfig& config);

/// Whether the settings say how long to train. With --steps given, nothing is chosen by cores or clock.
bool has_end(const TrainConfig& config);

/// --minutes, or those that a run takes if nobody says how long.
double minutes_of(const TrainConfig& config);

/// Shortens a warm-up that a preset wants to a tenth of a run that was given fewer --steps than it.
void fit_warmup(LayeredConfig& config, const Notice& notice);

/// Chooses a tokenizer of this kind, if none is given, and the size of its vocabulary by how much text there is.
void choose_tokenizer(LayeredConfig& config, const char* kind, std::uint64_t text_bytes);

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
