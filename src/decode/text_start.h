// What a model continues where there is no prompt: a model has to be given a token, and its text should begin where a
// reader can begin to read.
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
  std::string shown;  ///< what of it belongs to the text; empty for the end of another text or line
};

/// \param end_of_text  the token between documents, if the model has learnt it: the text then begins a document. Else
///                     it begins a line
/// \param token  of vocabularies without a newline: the i-th token of a text that may be continued, nothing at its end;
///               as many are taken and shown as make whole characters
TextStart text_start(const Tokenizer& tokenizer, std::optional<std::int32_t> end_of_text,
                     const std::function<std::optional<std::int32_t>(std::size_t i)>& token);

}  // namespace rapt
