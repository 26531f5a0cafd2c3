// The smallest networks with all features: for gradients and equality checks.
#pragma once

#include "nn/models/bert.h"
#include "nn/models/gpt.h"

namespace rapt::testing {

inline constexpr Dim kSmallVocabulary = 19;

/// `c` with two layers of width 8, weights that are not near zero, and no dropout.
template <typename Config>
Config small_network(Config c, const LoraOptions& lora = {}) {
  c.vocabulary = kSmallVocabulary;
  c.context = 12;
  c.width = 8;
  c.layers = 2;
  c.heads = 2;
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
