#include "train/tasks/lm_evaluation.h"

#include <algorithm>
#include <cmath>

namespace rapt {

// 0 - x, because -x of a perfect text would be -0.
double LmScore::loss() const { return tokens > 0 ? (0 - log_probability) / static_cast<double>(tokens) : NAN; }
double LmScore::perplexity() const { return std::exp(loss()); }

static PartToRead part_of(const LmEvaluation& text, Dim context, std::int64_t most) {
  return {text.sequences(), std::max<Dim>(1, kEvaluationRows / context), static_cast<double>(text.targets()), most};
}

LmSums& LmSums::operator+=(const LmSums& other) {
  log_probability += other.log_probability;
  tokens += other.tokens;
  return *this;
}

LmSums sums_of(const Tensor& log_probabilities) {
  LmSums sums{.tokens = log_probabilities.size()};
  for (const float p : log_probabilities.span<float>()) sums.log_probability += static_cast<double>(p);
  return sums;
}

// \param each  receives the log-probability of each token; nullptr: they are not kept
static LmSums score_part(const LanguageModel& model, const LmEvaluation& text, const PartToRead& part, Team& team,
                         std::vector<float>* each) {
  return sum_over_batches(part, team, [&](std::int64_t first) {
    const Tensor log_probabilities = model.log_probabilities(text.batch(first, part.batch));
    if (each != nullptr) {
      const auto all = log_probabilities.span<float>();
      each->insert(each->end(), all.begin(), all.end());
    }
    return sums_of(log_probabilities);
  });
}

static LmScore score(const LanguageModel& model, const LmEvaluation& text, Dim context, Team& team, bool keeps_each) {
  LmScore score;
  const LmSums sums = score_part(model, text, part_of(text, context, 0), team, keeps_each ? &score.each : nullptr);
  score.log_probability = sums.log_probability;
  score.tokens = sums.tokens;
  return score;
}

LmScore score_text(const LanguageModel& model, const LmEvaluation& text, Dim context, Team& team) {
  return score(model, text, context, team, false);
}

LmScore score_each(const LanguageModel& model, const LmEvaluation& text, Dim context) {
  return score(model, text, context, Team::alone(), true);
}

Evaluation evaluate_language_model(const LanguageModel& model, const LmEvaluation& held_out, Dim context,
                                   double bytes_per_target, std::int64_t most, Team& team) {
  const PartToRead part = part_of(held_out, context, most);
  const LmSums sums = score_part(model, held_out, part, team, nullptr);
  const LmScore score{.log_probability = sums.log_probability, .tokens = sums.tokens};
  Evaluation result;
  result.loss = score.loss();
  result.targets = score.tokens;
  result.score = -result.loss;
  result.share = part.share;
  result.metrics.emplace_back("perplexity", score.perplexity());
  if (bytes_per_target > 0) {
    const double bytes = bytes_per_target * static_cast<double>(score.tokens);
    result.metrics.emplace_back("bits_per_byte", bits_per_byte(result.loss, score.tokens, bytes));
  }
  return result;
}

}  // namespace rapt
