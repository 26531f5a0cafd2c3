// Converts settings to a network and back: the only place where the values of a configuration meet the models of nn.
#pragma once

#include "nn/models/any_network.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The GPT that the settings describe, for a vocabulary of this size.
/// \throws UsageError  if its settings are inconsistent
GptConfig gpt_config(const TrainConfig& config, Dim vocabulary);

/// The network that the settings describe: a GPT for --task lm, a BERT with its heads for mlm and mlm-nsp, and either
/// of them with a task head for the other tasks, with as many outputs as there are --labels.
/// \throws UsageError  if its settings are inconsistent
NetworkConfig network_config(const TrainConfig& config, Dim vocabulary);

/// Copies the settings that describe an existing network into a configuration; --task and dropouts are unchanged.
void take_network_settings(TrainConfig& config, const NetworkConfig& network);

/// Copies its dropouts as well, one by one.
void take_dropouts(TrainConfig& config, const NetworkConfig& network);

/// Initialises the new parts of `config`, a task head or a pooler, with the standard deviation of `start`, which for a
/// Hugging Face directory is its initializer_range.
void take_initial_spread(NetworkConfig& config, const NetworkConfig& start);

/// The task of an opened network, as in --task.
std::string task_word(const NetworkConfig& network);

/// Copies the parameters of `from` to `to`: those of the backbone and, with `heads`, all others with equal names, too.
/// Tables of `to` may be longer; parameters without a counterpart keep their values. Adapters of `from` are merged into
/// its weights before; those of `to` keep their values, which add nothing while they are new.
/// \return  the parameters of `to` that kept their values
/// \throws DataError  for a parameter of another shape
std::vector<std::string> copy_parameters(AnyNetwork& from, AnyNetwork& to, bool heads);

}  // namespace rapt
