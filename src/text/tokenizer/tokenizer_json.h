// tokenizer.json, Hugging Face's tokenizer file: reading it into parts and writing them.
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

/// The parts of a Tokenizer, in the order in which text passes through them.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<Normalizer> normalizer;  ///< may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  std::unique_ptr<Decoder> decoder;
  PostProcessor post_processor;
};

/// Reads a tokenizer.json. `truncation` and `padding` are ignored: the model determines the maximum sequence length.
/// \throws DataError  if it is not JSON, for an unsupported kind of part, or for parts that do not fit together
TokenizerParts read_tokenizer_json(std::string_view text, const std::string& name);

/// The same from parsed JSON: `head` has every field of tokenizer.json except `model`.
TokenizerParts read_tokenizer_parts(const Json& head, std::unique_ptr<TokenModel> model, const std::string& name);

/// The parts as tokenizer.json: equal parts give equal bytes.
std::string write_tokenizer_json(const TokenizerParts& parts);

}  // namespace rapt
