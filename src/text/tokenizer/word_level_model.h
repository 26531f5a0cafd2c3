// Whole words as tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// Each word is one token. A word that is not in the vocabulary becomes `unk_token`. Ids equal those of Hugging Face's
/// WordLevel.
///
/// \param name  the file, for messages
/// \throws DataError  for an unk_token that is not in the vocabulary
std::unique_ptr<TokenModel> make_word_level_model(std::vector<Vocabulary::Entry> vocabulary,
                                                  const std::string& unk_token, const std::string& name);

/// Reads the `model` of a tokenizer.json with type WordLevel. \throws DataError
std::unique_ptr<TokenModel> word_level_model_from_json(const Json& json, const std::string& name);

}  // namespace rapt
