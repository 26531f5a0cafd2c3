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

LmScore score_text(const LanguageModel& model, const LmEvaluation& text, const PartToRead& part, bool keep_each) {
  LmScore score;
  for (const Dim first : part.firsts) {
    const Tensor log_probabilities = model.log_probabilities(text.batch(first, part.batch));
    for (const float p : log_probabilities.span<float>()) {
      score.log_probability += static_cast<double>(p);
      if (keep_each) score.each.push_back(p);
    }
    score.tokens += log_probabilities.size();
  }
  return score;
}

LmScore score_text(const LanguageModel& model, const LmEvaluation& text, Dim context, bool keep_each) {
  return score_text(model, text, part_of(text, context, 0), keep_each);
}

Evaluation evaluate_language_model(const LanguageModel& model, const LmEvaluation& held_out, Dim context,
                                   double bytes_per_target, std::int64_t most) {
  const PartToRead part = part_of(held_out, context, most);
  const LmScore score = score_text(model, held_out, part);
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
