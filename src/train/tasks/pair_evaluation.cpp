#include "train/tasks/pair_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "train/tasks/lm_evaluation.h"

namespace rapt {

double tokens_with_frame(const PairStore& store, Part part) {
  return static_cast<double>(store.tokens(part, PairSide::kSource) + store.tokens(part, PairSide::kTarget) +
                             2 * store.pairs(part));
}

static PartToRead part_to_read(const PairStore& store, Part part, std::int64_t most) {
  const Dim pairs = store.pairs(part);
  const double tokens = tokens_with_frame(store, part);
  const auto batch = static_cast<Dim>(static_cast<double>(kEvaluationRows * pairs) / tokens);
  return {pairs, std::max<Dim>(1, batch), tokens, most};
}

// The pairs of one of its batches, counted over both parts of the store.
static std::vector<Dim> pairs_of_batch(const PairStore& store, Part part, const PartToRead& chosen, Dim first) {
  std::vector<Dim> pairs(static_cast<std::size_t>(std::min(chosen.batch, store.pairs(part) - first)));
  std::iota(pairs.begin(), pairs.end(), first + (part == Part::kTrain ? 0 : store.pairs(Part::kTrain)));
  return pairs;
}

std::vector<Dim> evaluated_pairs(const PairStore& store, Part part, std::int64_t most) {
  const PartToRead chosen = part_to_read(store, part, most);
  std::vector<Dim> all;
  for (const Dim first : chosen.firsts) {
    const std::vector<Dim> batch = pairs_of_batch(store, part, chosen, first);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

Evaluation evaluate_pairs(const LanguageModel& model, const PairStore& store, Part part, const PairFrame& frame,
                          std::int64_t most, Team& team) {
  const PartToRead chosen = part_to_read(store, part, most);
  const LmSums sums = sum_over_batches(chosen, team, [&](std::int64_t first) {
    const std::vector<Dim> pairs = pairs_of_batch(store, part, chosen, first);
    return sums_of(model.log_probabilities(make_pair_batch(store, pairs, frame)));
  });
  Evaluation result;
  result.targets = sums.tokens;
  result.loss = (0 - sums.log_probability) / static_cast<double>(sums.tokens);
  result.score = -result.loss;
  result.share = chosen.share;
  result.metrics.emplace_back("perplexity", std::exp(result.loss));
  return result;
}

}  // namespace rapt
