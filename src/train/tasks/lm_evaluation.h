// What a language model predicts of a text: its validation while it trains, `rapt eval` and `rapt score`.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/models/language_model.h"
#include "text/batches/lm_batches.h"
#include "train/metrics/evaluation.h"

namespace rapt {

/// The log-probabilities of predicted tokens, added up batch by batch (sum_over_batches).
struct LmSums {
  double log_probability = 0;
  std::int64_t tokens = 0;

  LmSums& operator+=(const LmSums& other);
};
/// \param log_probabilities  [M] f32
LmSums sums_of(const Tensor& log_probabilities);

/// The sums that loss, perplexity and bits per byte are computed from.
struct LmScore {
  double log_probability = 0;    ///< natural, of all predicted tokens
  std::int64_t tokens = 0;       ///< number of predicted tokens
  std::vector<float> each = {};  ///< of each predicted token, in order: from score_each

  double loss() const;        ///< mean, in nats per token; NaN without tokens
  double perplexity() const;  ///< exp(loss())
};

/// The whole text, in forward passes of about kEvaluationRows tokens. \param context  of the text's windows
/// \param team  divides the passes among itself
LmScore score_text(const LanguageModel& model, const LmEvaluation& text, Dim context, Team& team = Team::alone());
/// The same with the log-probability of each token.
LmScore score_each(const LanguageModel& model, const LmEvaluation& text, Dim context);

/// perplexity and, if bytes_per_target is known (not 0), bits_per_byte; the score is the negative loss.
/// \param context  of the text's windows
/// \param most     number of tokens to read, approximately; 0: all
/// \param team     divides the batches among itself
Evaluation evaluate_language_model(const LanguageModel& model, const LmEvaluation& held_out, Dim context,
                                   double bytes_per_target, std::int64_t most = 0, Team& team = Team::alone());

}  // namespace rapt
