// Learns the pieces of a unigram vocabulary and their scores from counted words.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/training/word_counts.h"
#include "text/tokenizer/unigram_model.h"

namespace rapt {

struct UnigramLearningOptions {
  std::size_t pieces = 8000;                   ///< how many to learn; fewer if the words yield no more
  std::size_t longest = 16;                    ///< of a piece, in characters
  std::size_t max_characters = 2000;           ///< rarer characters beyond this number are not pieces
  std::size_t seeds = 1'000'000;               ///< pieces to begin with
  std::unordered_set<std::string> never = {};  ///< texts that are not pieces
};

/// The pieces with the logarithms of their probabilities, most probable first. Among them are the most frequent
/// characters, so that a text of known characters needs no unknown token.
///
/// Begins with the most frequent characters and the substrings of words that cover most text (`seeds` of them). Then,
/// until enough pieces are gone: twice, estimates the pieces' expected counts over all splits of each word, with the
/// forward-backward algorithm, and from them their probabilities; then drops a quarter of the pieces, those without
/// which the text's probability falls least if each of their occurrences is split in the next best way.
///
/// Kudo 2018, "Subword Regularization", section 3.2. As in SentencePiece, probabilities are estimated with digamma
/// functions, which favours few pieces (Liang, Jordan, Klein 2009, "Probabilistic Grammars and Hierarchical Dirichlet
/// Processes"), and pieces with an expected count below a half are dropped.
///
/// The result does not depend on the number of threads.
std::vector<UnigramToken> learn_unigram(const WordCounts& words, const UnigramLearningOptions& options);

}  // namespace rapt
