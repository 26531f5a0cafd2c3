// tokenizer.json, Hugging Face's form of a tokenizer: reading it into parts and writing them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/decoder.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/token_model.h"

namespace rapt {

/// What a Tokenizer consists of, in the order in which text passes through it.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<Normalizer> normalizer;  ///< may be empty
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  std::unique_ptr<Decoder> decoder;
  PostProcessor post_processor;
};

/// Reads a tokenizer.json. `truncation` and `padding` are left aside: how long a sequence may be is the model's affair.
/// \throws DataError  not JSON, a kind of part that rapt does not have, parts that do not fit together
TokenizerParts read_tokenizer_json(std::string_view text, const std::string& name);

/// The same without a text: `head` has every field of tokenizer.json but `model`.
TokenizerParts read_tokenizer_parts(const Json& head, std::unique_ptr<TokenModel> model, const std::string& name);

/// The parts as tokenizer.json: equal parts give equal bytes.
std::string write_tokenizer_json(const TokenizerParts& parts);

}  // namespace rapt
