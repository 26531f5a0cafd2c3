// Turns counted words into the initial symbols of byte pair encoding.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/tokenizer/training/bpe_trainer.h"
#include "text/tokenizer/training/word_counts.h"

namespace rapt {

/// All 256 bytes, in the order of their printable characters, as in GPT-2's vocabulary; words as bytes.
BpeCorpus byte_symbols(const WordCounts& words);

/// The most frequent characters of the words, each unchanged and with the suffix `word_end`, the form of a word's last
/// character, so that a known character can stand anywhere; without a suffix, each has one form. Words are split at
/// other characters.
BpeCorpus word_end_symbols(const WordCounts& words, std::size_t max_characters, std::string_view word_end);

/// The most frequent characters of the words, unchanged (the form of a word's first character), and then with `prefix`
/// those of them that are part of a longer word. A known character can therefore stand anywhere that it may occur:
/// punctuation and ideographs, which are words of their own, have one form. Words with other characters are skipped.
BpeCorpus continued_symbols(const WordCounts& words, std::size_t max_characters, std::string_view prefix);

}  // namespace rapt
