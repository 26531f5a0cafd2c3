// Hugging Face directories of encoder-decoders with random weights and a tokenizer, for tests of their use.
#pragma once

#include <string>

#include "cli/run_program.h"
#include "nn/models/any_network.h"
#include "nn/models/transformer.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/files/hugging_face.h"
#include "train/settings/train_config.h"

namespace rapt {

/// Five-word sentences of little_words(), one per line.
inline std::string little_sentences(unsigned lines, unsigned seed = 1) {
  static const char* const words[] = {"red", "blue", "small", "large", "cat", "dog", "sees", "hears", "one", "two"};
  std::string text;
  for (unsigned i = 0, x = seed; i < lines; ++i) {
    for (unsigned w = 0; w < 2 + i % 4; ++w) {
      x = x * 1664525 + 1013904223;
      text += (w > 0 ? " " : "") + std::string(words[(x >> 16) % 10]);
    }
    text += "\n";
  }
  return text;
}

/// A directory `name` in the workshop. Its texts are arbitrary, but they end, and no two tokens are equally probable.
inline void write_little_translator(const Workshop& shop, const std::string& name, std::uint64_t seed,
                                    TokenizerType type = TokenizerType::kWord, const std::string& more_words = "") {
  TokenizerTrainer trainer({.type = type, .vocabulary = 300, .min_frequency = 1, .special = pair_special_tokens()});
  trainer.add_text(little_sentences(40) + more_words);
  std::shared_ptr<const Tokenizer> tokenizer = trainer.train();
  TransformerConfig c;
  c.vocabulary = tokenizer->vocabulary_size();
  c.context = 32;
  c.width = 24;
  c.layers = c.decoder_layers = 1;
  c.heads = 2;
  c.feed_forward = c.decoder_feed_forward = 32;
  c.positions = PositionKind::kSinusoidalHalves;
  c.tied_head = false;
  c.head_bias = HeadBias::kFixed;
  c.init_std = 0.3;
  const NetworkConfig config{.backbone = c, .objective = Objective::kTargetText};
  Initializer init(seed);
  AnyNetwork network(config, init);
  write_hugging_face(network.module(), {.network = config}, {.target = tokenizer}, shop.path(name));
}

}  // namespace rapt
