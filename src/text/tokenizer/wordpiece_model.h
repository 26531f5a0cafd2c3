// WordPiece as a tokenizer's model: BERT's vocabulary, and how a word is written with it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// The fields of tokenizer.json's model of type WordPiece.
struct WordPieceOptions {
  std::string unk_token = "[UNK]";               ///< stands for a word that cannot be written
  std::string continuing_subword_prefix = "##";  ///< in front of every token but a word's first
  std::size_t max_input_chars_per_word = 100;    ///< a word of more characters is unknown
};

/// Writes a word from the left with the longest token that fits, again and again; a word for which that does not work
/// out is one unk_token. Devlin et al. 2018, tokenization.py, WordpieceTokenizer; ids as Hugging Face's.
///
/// Time: a word's length times that of the longest token at worst, and a word is no longer than the options allow.
///
/// \param name  the file, for messages
/// \throws DataError  an unk_token that is not in the vocabulary
std::unique_ptr<TokenModel> make_wordpiece_model(std::vector<Vocabulary::Entry> vocabulary,
                                                 const WordPieceOptions& options, const std::string& name);

/// Reads a tokenizer.json's `model` of type WordPiece. \throws DataError
std::unique_ptr<TokenModel> wordpiece_model_from_json(const Json& json, const std::string& name);

bool is_wordpiece(const TokenModel& model);

}  // namespace rapt
