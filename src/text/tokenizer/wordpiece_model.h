// WordPiece as a tokenizer's model: BERT's vocabulary, and how words are split with it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// The fields of a WordPiece model in tokenizer.json.
struct WordPieceOptions {
  std::string unk_token = "[UNK]";               ///< replaces a word that cannot be split
  std::string continuing_subword_prefix = "##";  ///< prefix of every token except a word's first
  std::size_t max_input_chars_per_word = 100;    ///< a word of more characters is unknown
};

/// Splits a word from the left into the longest tokens that match. A word that cannot be split becomes one unk_token.
/// Devlin et al. 2018, tokenization.py, WordpieceTokenizer; ids equal Hugging Face's.
///
/// Worst-case time: a word's length times that of the longest token; the options limit the length of words.
///
/// \param name  the file, for messages
/// \throws DataError  for an unk_token that is not in the vocabulary
std::unique_ptr<TokenModel> make_wordpiece_model(std::vector<Vocabulary::Entry> vocabulary,
                                                 const WordPieceOptions& options, const std::string& name);

/// Reads the `model` of a tokenizer.json with type WordPiece. \throws DataError
std::unique_ptr<TokenModel> wordpiece_model_from_json(const Json& json, const std::string& name);

bool is_wordpiece(const TokenModel& model);

}  // namespace rapt
