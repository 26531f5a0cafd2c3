// How large a model is before it is made: parameters by part, work and memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tensor/types.h"
#include "train/train_config.h"

namespace rapt {

struct ModelSize {
  std::vector<std::pair<std::string, Dim>> parts;  ///< "token embeddings", ...: parameters of each, blocks all together
  Dim parameters = 0;
  Dim per_block = 0;
  Dim in_products = 0;            ///< parameters that every token is multiplied with, the head included
  double flop_per_token = 0;      ///< of an update: forward and backward, attention over half the context
  std::uint64_t state_bytes = 0;  ///< weights, gradients and Adam's two moments, in f32
};

/// The size of the model that the settings describe, for a vocabulary of `vocabulary` entries.
///
/// flop_per_token = 6 in_products + 6 L T C: two operations a weight forwards, four backwards, and the same for the
/// scores and the weighted sum of a causal attention, which sees (T + 1) / 2 keys on average. Kaplan et al. 2020,
/// "Scaling Laws for Neural Language Models", arXiv 2001.08361, section 2.1.
ModelSize model_size(const TrainConfig& config, Dim vocabulary);

}  // namespace rapt
