// The start of a text without a prompt: a model needs a first token, and its text should start where a reader can start
// to read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

struct TextStart {
  std::vector<std::int32_t> ids;
  std::string shown;  ///< the part of it that belongs to the text; empty for the end of another text or line
};

/// \param end_of_text  the token between documents, if the model has learnt it: the text then starts a document,
///                     otherwise a line
/// \param token  for vocabularies without a newline: the i-th token of a text to continue, or nothing at its end;
///               enough of them are taken and shown to make whole characters
TextStart text_start(const Tokenizer& tokenizer, std::optional<std::int32_t> end_of_text,
                     const std::function<std::optional<std::int32_t>(std::size_t i)>& token);

}  // namespace rapt
