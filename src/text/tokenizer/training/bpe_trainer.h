// Learns the merges of a byte pair encoding from counted words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/bpe.h"

namespace rapt {

/// Words as symbols, with their counts. Symbols are indices of `tokens`.
struct BpeCorpus {
  struct Word {
    std::uint32_t begin = 0;  ///< in symbols
    std::uint32_t length = 0;
    std::int64_t count = 0;
  };
  std::vector<std::string> tokens;    ///< the texts of the initial symbols, all different
  std::vector<std::int32_t> symbols;  ///< of all words, one after the other; fewer than 2^32
  std::vector<Word> words;
};

struct BpeLearningOptions {
  std::size_t tokens = 8000;                   ///< stop at this number, including the initial ones
  std::int64_t min_frequency = 2;              ///< a pair that occurs less often is not merged
  std::size_t max_token_bytes = 256;           ///< a merge that makes a longer token is skipped
  std::string continuing_prefix = {};          ///< prefix of all symbols except a word's first one; removed when they
                                               ///< are merged
  std::unordered_set<std::string> never = {};  ///< a merge that makes one of these texts is skipped
};

struct LearnedBpe {
  std::vector<std::string> tokens;  ///< the initial ones, then one per merge, except for merges that give an existing
                                    ///< token
  std::vector<BpeMerge> merges;     ///< in the order in which they were learnt
};

/// Repeatedly merges the most frequent pair of adjacent symbols. Among equally frequent pairs, the one with the greater
/// texts goes first, compared as bytes, the left part before the right. The result depends only on the counts.
/// subword-nmt has the same rule.
///
/// Pairs are counted once. Each pair has a list of the words that contain it; a merge rewrites those words and updates
/// the counts of the pairs around its positions. The total cost is about proportional to the number of merged
/// positions, not to merges times text. About 5 bytes per symbol, 16 per word and 80 per distinct pair.
///
/// Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1.
LearnedBpe learn_bpe(BpeCorpus corpus, const BpeLearningOptions& options);

}  // namespace rapt
