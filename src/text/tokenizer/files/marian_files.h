// The tokenizer files of Marian's Hugging Face directories: a SentencePiece model for each side, and one vocabulary of
// ids for both.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Whether the directory has source.spm, target.spm and vocab.json.
bool has_marian_files(const std::string& directory);

struct MarianTokenizers {
  std::unique_ptr<Tokenizer> source, target;
};

/// Reads source.spm and target.spm with the ids of vocab.json. The tokenizers keep the bytes of these files, and of
/// tokenizer_config.json and special_tokens_map.json if they are there (Tokenizer::original_files).
///
/// transformers' MarianTokenizer appends `</s>`; these tokenizers add nothing to a text.
///
/// \throws MissingInputError, DataError  as read_sentencepiece_model
MarianTokenizers read_marian_files(const std::string& directory);

}  // namespace rapt
