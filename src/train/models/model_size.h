// The size of a model before it is built: parameters by part, compute and memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nn/network.h"
#include "train/settings/train_config.h"

namespace rapt {

struct ModelSize {
  std::vector<std::pair<std::string, Dim>> parts;  ///< "token embeddings", ...: parameters of each, all blocks together
  Dim parameters = 0;                              ///< of all parts: a GPT; a BERT including its pooler, if it has one
  Dim in_heads = 0;  ///< additional parameters in a BERT's heads for masked words and the next sentence
  Dim per_block = 0;
  double in_products = 0;         ///< mean number of parameters that a token is multiplied with, including the head
  double flop_per_token = 0;      ///< of an update, forward and backward
  std::uint64_t state_bytes = 0;  ///< weights, gradients and Adam's two moments, in f32
};

/// The size of the model that the settings describe, for vocabularies of these sizes.
///
/// flop_per_token = 6 in_products + 12 L S C: two operations per weight in the forward pass, four in the backward pass,
/// and the same for the scores and the weighted sum of attention over S keys. A causal model sees half of the T tokens
/// of a sequence on average, S = T / 2; an encoder sees all, S = T. Kaplan et al. 2020, "Scaling Laws for Neural
/// Language Models", arXiv 2001.08361, section 2.1. A GPT's head multiplies every token. The masked-word head projects
/// only a share of them, --mlm-probability. Heads for whole sequences are not counted.
///
/// \param length  mean tokens of a sequence, T; 0: the maximum that the settings allow
ModelSize model_size(const TrainConfig& config, VocabularySizes vocabulary, double length = 0);

}  // namespace rapt
