// What a run does about settings that nobody gave: size, recipe and length from the data, the cores and the minutes.
#pragma once

#include "nn/models/gpt.h"
#include "text/corpus.h"
#include "text/token_store.h"
#include "train/config_file.h"

namespace rapt {

/// Settings that describe an existing network, taken over into a configuration that starts from it.
void take_model_settings(TrainConfig& config, const GptConfig& model);

/// Whether the settings say how long to train. With --steps given, nothing is chosen by cores or clock.
bool has_end(const TrainConfig& config);

/// Shortens a warm-up that a preset wants to a tenth of a run that was given fewer --steps than it.
void fit_warmup(LayeredConfig& config, const Notice& notice);

/// Chooses the tokenizer, if none is given, by how much text there is.
void choose_tokenizer(LayeredConfig& config, std::uint64_t text_bytes);

/// Chooses what depends on the tokens and the machine: network, batch, learning rate, number of updates. Measures how
/// fast this machine trains the network by training a throw-away copy for a moment.
/// \param notice  told what was chosen, line by line
void choose_recipe(LayeredConfig& config, const TokenStore& store, const Notice& notice);

}  // namespace rapt
