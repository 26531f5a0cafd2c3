// Scores that compare texts of different lengths.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace rapt {

/// What a text's log-probability is divided by.
enum class LengthPenalty {
  kLength,  ///< length^alpha: length_penalty of transformers, --normalize of Marian
  kGnmt,    ///< ((5 + length) / 6)^alpha: Wu et al. 2016, arXiv 1609.08144, equation 14
};

/// \throws UsageError  for a name other than length and gnmt
LengthPenalty length_penalty_named(const std::string& name);

/// The score of a text in a beam search:
///
///     log P / penalty(length, alpha) + beta sum_i log(min(a_i, 1))
///
/// for a_i, the sum of the attention that source token i received. The second term, of Wu et al. too, is low if parts
/// of the source were not attended to.
struct Ranking {
  LengthPenalty kind = LengthPenalty::kLength;
  double alpha = 1;
  double beta = 0;

  /// \param length    in tokens, including the stop token
  /// \param coverage  a; empty: no second term
  double score(double log_probability, std::size_t length, std::span<const float> coverage = {}) const;
};

}  // namespace rapt
