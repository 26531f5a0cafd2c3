#include "train/metrics/multilabel.h"

#include <stdexcept>

namespace rapt {

void MultilabelCounts::add(std::span<const std::uint8_t> gold, std::span<const std::uint8_t> predicted,
                           std::int64_t times) {
  if (gold.size() != counts_.size() || predicted.size() != counts_.size()) {
    throw std::invalid_argument("multilabel: there must be an entry for each of " + std::to_string(counts_.size()) +
                                " labels, got " + std::to_string(gold.size()) + " and " +
                                std::to_string(predicted.size()));
  }
  const double count = static_cast<double>(times);
  bool all_right = true;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    const bool wanted = gold[k] != 0, found = predicted[k] != 0;
    counts_[k] += {wanted && found ? count : 0, found ? count : 0, wanted ? count : 0};
    all_right = all_right && wanted == found;
  }
  examples_ += times;
  if (all_right) whole_ += times;
}

MetricValues MultilabelCounts::values() const {
  MatchCounts all;
  double f1 = 0, precision = 0, recall = 0;
  for (const MatchCounts& counts : counts_) {
    all += counts;
    f1 += counts.f1();
    precision += counts.precision();
    recall += counts.recall();
  }
  const double labels = static_cast<double>(counts_.size());
  return {{"f1_micro", all.f1()},
          {"precision_micro", all.precision()},
          {"recall_micro", all.recall()},
          {"f1_macro", share(f1, labels)},
          {"precision_macro", share(precision, labels)},
          {"recall_macro", share(recall, labels)},
          {"subset_accuracy", share(static_cast<double>(whole_), static_cast<double>(examples_))}};
}

}  // namespace rapt
