// The smallest networks with all features: for gradients and equality checks.
#pragma once

#include <utility>

#include "nn/models/bert.h"
#include "nn/models/gpt.h"

namespace rapt::testing {

inline constexpr Dim kSmallVocabulary = 19;

struct NetworkSize {
  Dim vocabulary = kSmallVocabulary, context = 12, width = 8, layers = 2, heads = 2;
};

/// `c` in this size.
template <typename Config>
Config of_size(const NetworkSize& size, Config c) {
  c.vocabulary = size.vocabulary;
  c.context = size.context;
  c.width = size.width;
  c.layers = size.layers;
  c.heads = size.heads;
  return c;
}

/// `c` with two layers of width 8, weights that are not near zero, and no dropout.
template <typename Config>
Config small_network(Config config, const LoraOptions& lora = {}) {
  Config c = of_size({}, std::move(config));
  c.init_std = 0.3;
  c.lora = lora;
  return c;
}

inline BertConfig small_bert(const LoraOptions& lora = {}) {
  BertConfig c = small_network(BertConfig(), lora);
  c.hidden_dropout = c.attention_dropout = 0;
  return c;
}

inline GptConfig small_gpt(bool first = false, const LoraOptions& lora = {}) {
  return small_network(first ? GptConfig::gpt1() : GptConfig::gpt2(), lora);
}

}  // namespace rapt::testing
