#include "train/models/transformer_settings.h"

#include <algorithm>
#include <utility>

#include "io/names.h"
#include "tensor/error.h"

namespace rapt {

LoraOptions lora_options(const TrainConfig& config) {
  if (config.lora_rank == 0) return {};
  static constexpr std::pair<bool LoraOptions::*, const char*> kTargets[] = {
      {&LoraOptions::query, "query"},   {&LoraOptions::key, "key"}, {&LoraOptions::value, "value"},
      {&LoraOptions::output, "output"}, {&LoraOptions::up, "up"},   {&LoraOptions::down, "down"}};
  LoraOptions lora{.rank = config.lora_rank, .alpha = config.lora_alpha, .dropout = config.lora_dropout};
  for (const std::string& wanted : config.lora_targets) {
    lora.*value_named(wanted, kTargets, "--lora-targets") = true;
  }
  if (config.lora_targets.empty()) throw UsageError("--lora-rank needs --lora-targets; try --lora-targets query,value");
  return lora;
}

Activation activation_of(const TrainConfig& config) {
  return value_named(config.activation, activation_names(), "--activation");
}

static constexpr std::pair<PositionKind, const char*> kPositions[] = {
    {PositionKind::kLearned, "learned"},
    {PositionKind::kRotary, "rope"},
    {PositionKind::kSinusoidal, "sinusoidal"},
    {PositionKind::kSinusoidalHalves, "sinusoidal-halves"}};

PositionKind position_of(const TrainConfig& config) { return value_named(config.position, kPositions, "--position"); }
const char* name_of(PositionKind positions) { return name_in(kPositions, positions); }

BlockSizes block_sizes(const TrainConfig& config, bool bias) {
  const Dim C = config.width, F = config.feed_forward_width(), b = bias ? 1 : 0;
  return {.attention = 4 * C * C + b * 4 * C, .feed_forward = 2 * C * F + b * (F + C), .norm = C + b * C};
}

// Mean number of parameters of the head that a token is multiplied with.
static double head_products(const TrainConfig& config, Dim vocabulary) {
  const auto V = static_cast<double>(vocabulary), C = static_cast<double>(config.width);
  if (config.masks_words()) return config.mlm_probability * (V * C + C * C);
  return config.objective() == Objective::kNextToken || config.language_model_weight > 0 ? V * C : 0;
}

void finish_size(ModelSize& size, const TrainConfig& config, Dim vocabulary, double length, double keys) {
  const Dim C = config.width, F = config.feed_forward_width(), L = config.layers;
  for (const auto& part : size.parts) size.parameters += part.second;
  const double seen = (length > 0 ? length : static_cast<double>(config.longest_sequence())) * keys;
  size.in_products = static_cast<double>(L * (4 * C * C + 2 * C * F)) + head_products(config, vocabulary);
  size.flop_per_token = 6 * size.in_products + 12 * seen * static_cast<double>(L * C);
  size.state_bytes = static_cast<std::uint64_t>(size.parameters + size.in_heads) * 16;
}

}  // namespace rapt
