// Counted words as the symbols that byte pair encoding starts from.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/tokenizer/training/bpe_trainer.h"
#include "text/tokenizer/training/word_counts.h"

namespace rapt {

/// All 256 bytes, in the order of their printable characters, as in GPT-2's vocabulary; words as bytes.
BpeCorpus byte_symbols(const WordCounts& words);

/// The words' most frequent characters, each as it is and with `word_end` behind it, the form of a word's last one: so
/// a known character can stand anywhere. Words are cut at the others.
BpeCorpus word_end_symbols(const WordCounts& words, std::size_t max_characters, std::string_view word_end);

/// The words' most frequent characters as they are, the form of a word's first one, then those of them that are part of
/// a longer word with `prefix` in front. So a known character can stand anywhere where it may: punctuation and
/// ideographs, which are words of their own, have one form. Words with other characters are left out.
BpeCorpus continued_symbols(const WordCounts& words, std::size_t max_characters, std::string_view prefix);

}  // namespace rapt
