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

namespace {

struct PairSums {
  double log_probability = 0;
  std::int64_t targets = 0;

  PairSums& operator+=(const PairSums& other) {
    log_probability += other.log_probability;
    targets += other.targets;
    return *this;
  }
};

}  // namespace

Evaluation evaluate_pairs(const LanguageModel& model, const PairStore& store, Part part, const PairFrame& frame,
                          std::int64_t most, Team& team) {
  const PartToRead chosen = part_to_read(store, part, most);
  const PairSums sums = sum_over_batches(chosen, team, [&](std::int64_t first) {
    const std::vector<Dim> pairs = pairs_of_batch(store, part, chosen, first);
    const Tensor log_probabilities = model.log_probabilities(make_pair_batch(store, pairs, frame));
    PairSums batch{.targets = log_probabilities.size()};
    for (const float p : log_probabilities.span<float>()) batch.log_probability += static_cast<double>(p);
    return batch;
  });
  Evaluation result;
  result.targets = sums.targets;
  result.loss = (0 - sums.log_probability) / static_cast<double>(sums.targets);
  result.score = -result.loss;
  result.share = chosen.share;
  result.metrics.emplace_back("perplexity", std::exp(result.loss));
  return result;
}

}  // namespace rapt
