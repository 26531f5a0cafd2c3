// From settings to a network and back: the one place where the words of a configuration meet the models of nn.
#pragma once

#include "nn/models/any_network.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The GPT that the settings describe, for a vocabulary of this size.
/// \throws UsageError  if its settings do not fit each other
GptConfig gpt_config(const TrainConfig& config, Dim vocabulary);

/// The network that the settings describe: a GPT for --task lm, a BERT with its heads for mlm and mlm-nsp, either of
/// them with a task's head for the others; as many outputs as there are --labels.
/// \throws UsageError  if its settings do not fit each other
NetworkConfig network_config(const TrainConfig& config, Dim vocabulary);

/// Settings that describe an existing network, taken over into a configuration; --task and dropouts stay.
void take_network_settings(TrainConfig& config, const NetworkConfig& network);

/// Its dropouts as well, one by one.
void take_dropouts(TrainConfig& config, const NetworkConfig& network);

/// What is new in `config`, a task's head or a pooler, begins with the spread that `start` was made with, which for a
/// Hugging Face directory is its initializer_range.
void take_initial_spread(NetworkConfig& config, const NetworkConfig& start);

/// What task a network that was opened is for, as --task has it.
std::string task_word(const NetworkConfig& network);

/// Gives `to` the parameters of `from`: the backbone's, and with `heads` all others of equal names too. Tables of `to`
/// may be longer; what has no counterpart keeps its values. Adapters of `from` are merged into its weights before, and
/// those of `to` keep their values, which add nothing as long as they are fresh.
/// \return  the parameters of `to` that kept their values
/// \throws DataError  a parameter of another shape
std::vector<std::string> copy_parameters(AnyNetwork& from, AnyNetwork& to, bool heads);

}  // namespace rapt
