// Splits text into GPT-2's words with a scanner: one pass, no backtracking, no regular-expression engine.
#pragma once

#include <cstddef>
#include <string_view>

namespace rapt {

/// Length in bytes of the first match of GPT-2's pattern in a non-empty text:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Matches cover any text without gaps. A byte that is not UTF-8 counts as a character that is neither space, letter
/// nor number. Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; the pattern is in the
/// authors' encoder.py.
std::size_t gpt2_word_length(std::string_view text);

}  // namespace rapt
