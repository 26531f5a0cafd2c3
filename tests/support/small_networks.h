// The smallest networks with all features: for gradients and equality checks.
#pragma once

#include <utility>

#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "nn/models/recurrent.h"
#include "nn/models/transformer.h"

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

/// An encoder-decoder with other depths, heads and inner widths on its two sides.
inline TransformerConfig small_transformer() {
  TransformerConfig c = of_size({}, TransformerConfig());
  c.layers = 1;
  c.decoder_layers = 2;
  c.decoder_heads = 4;
  c.feed_forward = 10;
  c.decoder_feed_forward = 14;
  c.init_std = 0.3;
  c.embedding_dropout = c.attention_dropout = c.residual_dropout = 0;
  return c;
}

/// Encoder-decoders with every kind of attention, both cells, one and both directions; and language models.
inline std::vector<RecurrentConfig> small_recurrent() {
  using A = RecurrentAttention;
  std::vector<RecurrentConfig> configs;
  for (const A attention : {A::kNone, A::kContext, A::kAdditive, A::kDot, A::kGeneral, A::kConcat}) {
    RecurrentConfig c;
    c.encoder = true;
    c.vocabulary = kSmallVocabulary;
    c.source_vocabulary = kSmallVocabulary + 4;
    c.width = 7;
    c.embedding_width = 5;
    c.init_range = 0.6;
    c.attention = attention;
    c.cell = attention == A::kNone || attention == A::kDot ? RecurrentCell::kLstm : RecurrentCell::kGru;
    configs.push_back(c);
    c.bidirectional = attention != A::kDot;
    c.input_feeding = c.is_luong();
    c.layers = 3;
    c.decoder_layers = 2;
    c.source_vocabulary = 0;
    c.cell = c.cell == RecurrentCell::kLstm ? RecurrentCell::kGru : RecurrentCell::kLstm;
    c.bias = attention != A::kGeneral;
    configs.push_back(c);
  }
  for (const RecurrentCell cell : {RecurrentCell::kLstm, RecurrentCell::kGru}) {
    RecurrentConfig c;
    c.cell = cell;
    c.vocabulary = kSmallVocabulary;
    c.width = 7;
    c.tied_head = cell == RecurrentCell::kGru;
    c.init_range = 0.6;
    configs.push_back(c);
  }
  return configs;
}

}  // namespace rapt::testing
