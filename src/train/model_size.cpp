#include "train/model_size.h"

namespace rapt {

ModelSize model_size(const TrainConfig& config, Dim vocabulary) {
  const Dim C = config.width, F = config.feed_forward_width(), L = config.layers, T = config.context, V = vocabulary;
  const Dim bias = config.bias ? 1 : 0;
  const Dim norm = C + bias * C;
  const Dim attention = 4 * C * C + bias * 4 * C;
  const Dim feed_forward = 2 * C * F + bias * (F + C);

  ModelSize size;
  size.per_block = attention + feed_forward + 2 * norm;
  size.parts.emplace_back("token embeddings", V * C);
  if (config.position == "learned") size.parts.emplace_back("position embeddings", T * C);
  size.parts.emplace_back("attention", L * attention);
  size.parts.emplace_back("feed-forward", L * feed_forward);
  // GPT-1 normalises after each sublayer and has no norm at the end.
  size.parts.emplace_back("norms", (2 * L + (config.model == "gpt1" ? 0 : 1)) * norm);
  if (!config.tie) size.parts.emplace_back("output layer", V * C);
  for (const auto& part : size.parts) size.parameters += part.second;
  size.in_products = L * (4 * C * C + 2 * C * F) + V * C;
  size.flop_per_token = 6.0 * static_cast<double>(size.in_products) + 6.0 * static_cast<double>(L * T * C);
  size.state_bytes = static_cast<std::uint64_t>(size.parameters) * 16;
  return size;
}

}  // namespace rapt
