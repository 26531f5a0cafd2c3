// Learns the merges of a byte pair encoding from counted words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/bpe.h"

namespace rapt {

/// Words as symbols, with how often each occurs. Symbols are indices of `tokens`.
struct BpeCorpus {
  struct Word {
    std::uint32_t begin = 0;  ///< in symbols
    std::uint32_t length = 0;
    std::int64_t count = 0;
  };
  std::vector<std::string> tokens;    ///< the texts of the first symbols, all different
  std::vector<std::int32_t> symbols;  ///< of all words, one behind the other; fewer than 2^32
  std::vector<Word> words;
};

struct BpeLearningOptions {
  std::size_t tokens = 8000;                   ///< stop when there are as many, the first ones included
  std::int64_t min_frequency = 2;              ///< a pair that is rarer is not merged
  std::size_t max_token_bytes = 256;           ///< a merge that makes a longer token is skipped
  std::string continuing_prefix = {};          ///< in front of all symbols but words' first: goes when they are merged
  std::unordered_set<std::string> never = {};  ///< a merge that makes one of these texts is skipped
};

struct LearnedBpe {
  std::vector<std::string> tokens;  ///< the first ones, then one a merge, but for merges that give a token anew
  std::vector<BpeMerge> merges;     ///< in the order in which they were learnt
};

/// Merges the most frequent pair of neighbours, again and again. Of pairs that are equally frequent the one whose texts
/// are greater goes first, compared as bytes, the left part before the right: the result depends on nothing but the
/// counts. That is the rule of subword-nmt too.
///
/// Pairs are counted once; a merge then changes the counts of the pairs around its places, which each pair knows as a
/// list. So the whole costs about as much as there are places merged, not merges times text. 28 bytes a symbol.
///
/// Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1.
LearnedBpe learn_bpe(BpeCorpus corpus, const BpeLearningOptions& options);

}  // namespace rapt
