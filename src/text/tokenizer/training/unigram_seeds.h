// The pieces that the training of a unigram vocabulary begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer/training/word_counts.h"

namespace rapt {

struct CountedText {
  std::string text;
  std::int64_t count = 0;
};

/// Substrings of two to `longest` characters that occur twice or more, counting each word as often as it was: those
/// with the largest product of count and length, at most `most`. Equal products are ordered by text.
///
/// Only substrings that end some word, or that different characters follow: any other one always occurs as the
/// beginning of the same longer one. They are found in a sorted array of all suffixes, which takes 24 bytes for each
/// character of `words`.
std::vector<CountedText> frequent_substrings(const std::vector<WordCounts::Word>& words, std::size_t longest,
                                             std::size_t most);

}  // namespace rapt
