// Shared by the families that are stacks of transformer blocks: settings, and the sizes of their parts.
#pragma once

#include "autograd/ops/activation.h"
#include "nn/embedding.h"
#include "nn/lora.h"
#include "train/models/model_size.h"
#include "train/settings/train_config.h"

namespace rapt {

/// The adapters that --lora-rank and related settings request. \throws UsageError  for an unknown target
LoraOptions lora_options(const TrainConfig& config);

/// \throws UsageError  for an unknown name
Activation activation_of(const TrainConfig& config);

/// \throws UsageError  for an unknown name
PositionKind position_of(const TrainConfig& config);
/// As in --position.
const char* name_of(PositionKind positions);

template <typename ModelConfig>
void give_transformer_settings(ModelConfig& c, const TrainConfig& config, Dim vocabulary) {
  c.vocabulary = vocabulary;
  c.context = config.context;
  c.width = config.width;
  c.layers = config.layers;
  c.heads = config.heads;
  c.feed_forward = config.feed_forward;
  c.activation = activation_of(config);
  c.norm_epsilon = config.norm_epsilon;
  c.lora = lora_options(config);
}

/// The inverse.
template <typename ModelConfig>
void take_transformer_settings(TrainConfig& config, const ModelConfig& model) {
  config.layers = model.layers;
  config.heads = model.heads;
  config.width = model.width;
  config.feed_forward = model.feed_forward;
  config.context = model.context;
  config.activation = name_of(model.activation);
  config.norm_epsilon = model.norm_epsilon;
}

/// Number of parameters of the parts of a stack's blocks.
struct BlockSizes {
  Dim attention = 0, feed_forward = 0, norm = 0;
  Dim whole() const { return attention + feed_forward + 2 * norm; }
};
BlockSizes block_sizes(const TrainConfig& config, bool bias);

/// Adds up the parts, and computes compute and memory from them.
/// \param keys  mean number of keys that a token sees, as a share of its sequence's tokens
void finish_size(ModelSize& size, const TrainConfig& config, Dim vocabulary, double length, double keys);

}  // namespace rapt
