// Selects one token from the model's scores: temperature, truncation, sampling. The order is that of transformers:
// temperature, top-k, top-p, min-p, after the rules of constraints.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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
};

/// \throws UsageError  naming the option and its valid values
void check(const SamplingOptions& options);

struct SampledToken {
  std::int32_t id = 0;
  double log_probability = 0;  ///< under the distribution it was drawn from
};

/// Rejects invalid scores. -infinity is a token that cannot occur, and is no error as long as another token can.
/// \param subject, where  start and end of the message: "generate", "token 3 after prompt 1"
/// \return  the largest score
/// \throws NotFiniteError  for NaN, infinity, or no finite score at all
float require_scores(std::span<const float> scores, const char* subject, const std::function<std::string()>& where);

/// Draws one token. The same scores, options and position of `rng` give the same token. Ties go to the smaller id.
/// \param scores  one per token; changed by the call
/// \return  nothing if no token can occur
std::optional<SampledToken> sample_token(std::span<float> scores, const SamplingOptions& options, Rng& rng);

}  // namespace rapt
