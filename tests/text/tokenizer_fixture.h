// Small tokenizers for tests: learnt from a text, or read from a tokenizer.json.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "text/tokenizer/files/tokenizer_files.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

namespace rapt {

inline std::unique_ptr<Tokenizer> learn(const TokenizerTrainerOptions& options, const std::string& text) {
  TokenizerTrainer trainer(options);
  trainer.add_text(text);
  return trainer.train();
}

inline const std::vector<std::string> kBertTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

/// With BERT's special tokens.
inline std::unique_ptr<Tokenizer> learn_for_bert(TokenizerType type, const std::string& text,
                                                 std::int64_t vocabulary = 400) {
  return learn({.type = type, .vocabulary = vocabulary, .special = kBertTokens}, text);
}

/// The tokenizer of a file t.json with this content.
inline std::unique_ptr<Tokenizer> tokenizer_of(const Json& json) { return tokenizer_from_json(json.dump(), "t.json"); }

/// Why such a file is rejected, or "no error".
inline std::string tokenizer_error(const Json& json) {
  return message_of<DataError>([&] { tokenizer_of(json); });
}

}  // namespace rapt
