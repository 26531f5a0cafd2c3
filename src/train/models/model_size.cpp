#include "train/models/model_size.h"

#include <algorithm>

namespace rapt {
namespace {

bool has_pooler(const TrainConfig& config) {
  if (config.task == "embed") return config.pooler;
  return config.task != "mlm" && config.task != "tag" && config.task != "qa";
}

// Mean number of parameters of the head that a token is multiplied with.
double head_products(const TrainConfig& config, Dim vocabulary) {
  const auto V = static_cast<double>(vocabulary), C = static_cast<double>(config.width);
  if (config.task == "mlm" || config.task == "mlm-nsp") return config.mlm_probability * (V * C + C * C);
  const bool speaks = config.task == "lm" || (config.model != "bert" && config.language_model_weight > 0);
  return speaks ? V * C : 0;
}

}  // namespace

ModelSize model_size(const TrainConfig& config, Dim vocabulary, double length) {
  const Dim C = config.width, F = config.feed_forward_width(), L = config.layers, T = config.context, V = vocabulary;
  const bool bert = config.model == "bert";
  const Dim bias = config.bias || bert ? 1 : 0;
  const Dim norm = C + bias * C;
  const Dim attention = 4 * C * C + bias * 4 * C;
  const Dim feed_forward = 2 * C * F + bias * (F + C);

  ModelSize size;
  size.per_block = attention + feed_forward + 2 * norm;
  size.parts.emplace_back("token embeddings", V * C);
  if (bert || config.position == "learned") size.parts.emplace_back("position embeddings", T * C);
  if (bert) size.parts.emplace_back("segment embeddings", config.segments * C);
  size.parts.emplace_back("attention", L * attention);
  size.parts.emplace_back("feed-forward", L * feed_forward);
  // GPT-1 normalises after each sublayer and has no norm at the end; BERT has one more after the embeddings.
  size.parts.emplace_back("norms", (2 * L + (config.model == "gpt1" ? 0 : 1)) * norm);
  if (bert && has_pooler(config)) size.parts.emplace_back("pooler", C * C + C);
  if (!bert && !config.tie) size.parts.emplace_back("output layer", V * C);
  for (const auto& part : size.parts) size.parameters += part.second;
  if (bert && (config.task == "mlm" || config.task == "mlm-nsp")) size.in_heads = C * C + C + norm + V;
  if (bert && config.task == "mlm-nsp") size.in_heads += 2 * C + 2;

  const double keys = (length > 0 ? length : static_cast<double>(config.longest_sequence())) * (bert ? 1 : 0.5);
  size.in_products = static_cast<double>(L * (4 * C * C + 2 * C * F)) + head_products(config, V);
  size.flop_per_token = 6 * size.in_products + 12 * keys * static_cast<double>(L * C);
  size.state_bytes = static_cast<std::uint64_t>(size.parameters + size.in_heads) * 16;
  return size;
}

}  // namespace rapt
