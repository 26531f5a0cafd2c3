// Characters as tokens, as in nanoGPT's character-level models.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// Each character is one token. A character that is not in the vocabulary becomes `unk_token`. Without one, encoding
/// throws UnknownCharacter, because silently dropping characters would train and score a different text.
///
/// In tokenizer.json this is a BPE without merges, for which Hugging Face's tokenizers give the same ids.
///
/// \param vocabulary  texts of one character each, and the unk_token
/// \throws DataError  for a text of more than one character, or an unk_token that is not in the vocabulary
std::unique_ptr<TokenModel> make_char_model(std::vector<Vocabulary::Entry> vocabulary,
                                            const std::optional<std::string>& unk_token, const std::string& name);

/// The model, if this `model` of a tokenizer.json without normalizer and pre_tokenizer is a character model, else
/// nothing.
std::unique_ptr<TokenModel> char_model_from_json(const Json& json, const std::string& name);

}  // namespace rapt
