#include "train/tasks/pair_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace rapt {

double tokens_with_frame(const PairStore& store, Part part) {
  return static_cast<double>(store.tokens(part, PairSide::kSource) + store.tokens(part, PairSide::kTarget) +
                             2 * store.pairs(part));
}

Evaluation evaluate_pairs(const LanguageModel& model, const PairStore& store, Part part, const PairFrame& frame,
                          std::int64_t most) {
  const Dim pairs = store.pairs(part), first_pair = part == Part::kTrain ? 0 : store.pairs(Part::kTrain);
  const double tokens = tokens_with_frame(store, part);
  const auto batch = static_cast<Dim>(static_cast<double>(kEvaluationRows * pairs) / tokens);
  const PartToRead chosen(pairs, std::max<Dim>(1, batch), tokens, most);
  double sum = 0;
  Evaluation result;
  for (const Dim first : chosen.firsts) {
    std::vector<Dim> indices(static_cast<std::size_t>(std::min(chosen.batch, pairs - first)));
    std::iota(indices.begin(), indices.end(), first_pair + first);
    const Tensor log_probabilities = model.log_probabilities(make_pair_batch(store, indices, frame));
    for (const float p : log_probabilities.span<float>()) sum += static_cast<double>(p);
    result.targets += log_probabilities.size();
  }
  result.loss = (0 - sum) / static_cast<double>(result.targets);
  result.score = -result.loss;
  result.share = chosen.share;
  result.metrics.emplace_back("perplexity", std::exp(result.loss));
  return result;
}

}  // namespace rapt
