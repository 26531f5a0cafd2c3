// Selects one token from the model's scores: penalties, temperature, truncation, sampling. The order is that of
// transformers: repetition penalty, temperature, top-k, top-p, min-p.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tensor/random.h"

namespace rapt {

struct SamplingOptions {
  bool greedy = false;     ///< always the most probable token
  double temperature = 1;  ///< scores are divided by it; 0 is greedy
  std::int64_t top_k = 0;  ///< keep the k most probable; 0: all
  double top_p = 1;        ///< keep the most probable tokens that together reach p (Holtzman et al. 2020)
  double min_p = 0;        ///< keep tokens with at least min_p times the probability of the best (Nguyen et al. 2024)
  double repetition_penalty = 1;  ///< of tokens that occurred (Keskar et al. 2019, CTRL, section 4.1)
};

/// \throws UsageError  naming the option and its valid values
void check(const SamplingOptions& options);

struct SampledToken {
  std::int32_t id = 0;
  double log_probability = 0;  ///< under the distribution it was drawn from
};

/// Rejects invalid scores. -infinity is a token that cannot occur, and is no error as long as another token can.
/// \param subject, where  start and end of the message: "generate", "token 3 after prompt 1"
/// \throws NotFiniteError  for NaN, infinity, or no finite score at all
void require_scores(std::span<const float> logits, const char* subject, const std::string& where);

/// Divides the scores of the tokens in `history` by the penalty, or multiplies them if negative.
void penalise_repetition(std::span<float> logits, std::span<const std::int32_t> history, double penalty);

/// Draws one token. The same logits, options and position of `rng` give the same token. Ties go to the smaller id.
/// \param logits   one score per token; changed by the call
/// \param history  the tokens so far, prompt included
SampledToken sample_token(std::span<float> logits, std::span<const std::int32_t> history,
                          const SamplingOptions& options, Rng& rng);

}  // namespace rapt
