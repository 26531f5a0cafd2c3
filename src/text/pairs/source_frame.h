// A source text as an encoder reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

struct FramedSource {
  std::vector<std::int32_t> ids;
  std::size_t front = 0;  ///< tokens before those of the text
  bool cut = false;       ///< whether the text's end was left out
};

/// The tokens of a text with those that the tokenizer puts around it (BART's `<s> text </s>`) or, if it puts none, with
/// `end` after it. A text of too many tokens loses its end.
/// \param text     the text's tokens
/// \param longest  maximum number of tokens of the result
FramedSource frame_source(const Tokenizer& tokenizer, std::vector<std::int32_t> text, std::int32_t end,
                          std::size_t longest);

}  // namespace rapt
