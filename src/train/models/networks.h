// Converts settings to a network and back, and copies one network to another.
#pragma once

#include "nn/models/any_network.h"
#include "train/settings/train_config.h"

namespace rapt {

/// Rejects structure settings that the model's family does not have. network_config() calls it, too.
/// \throws UsageError
void check_structure(const TrainConfig& config);

/// The network that the settings describe: the model with the head for its task, with as many outputs as there are
/// --labels.
/// \throws UsageError  if its settings are inconsistent
NetworkConfig network_config(const TrainConfig& config, VocabularySizes vocabulary);

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
/// \throws DataError  for networks of different families, or a parameter of another shape
std::vector<std::string> copy_parameters(AnyNetwork& from, AnyNetwork& to, bool heads);

}  // namespace rapt
