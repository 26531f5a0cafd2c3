// Characters as tokens: the vocabulary of nanoGPT's character-level models.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// Each character is one token. A character that the vocabulary lacks becomes `unk_token`; without one, encoding throws
/// UnknownCharacter: a text silently missing characters would train and score as another text.
///
/// In tokenizer.json this is a BPE without merges, which Hugging Face's tokenizers give the same ids.
///
/// \param vocabulary  texts of one character each, and the unk_token
/// \throws DataError  a text of more than one character, an unk_token that is not in the vocabulary
std::unique_ptr<TokenModel> make_char_model(std::vector<Vocabulary::Entry> vocabulary,
                                            const std::optional<std::string>& unk_token, const std::string& name);

/// The model if this `model` of a tokenizer.json without normalizer and pre_tokenizer is one of characters, else
/// nothing.
std::unique_ptr<TokenModel> char_model_from_json(const Json& json, const std::string& name);

}  // namespace rapt
