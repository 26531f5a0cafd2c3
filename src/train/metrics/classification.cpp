#include "train/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rapt {

ClassificationCounts::ClassificationCounts(std::size_t classes, std::int32_t positive)
    : gold_(classes), predicted_(classes), right_(classes), positive_(positive) {
  if (positive_ < 0 && classes == 2) positive_ = 1;
  if (positive_ >= static_cast<std::int64_t>(classes)) {
    throw std::invalid_argument("classification: the positive class must be one of " + std::to_string(classes) +
                                ", got " + std::to_string(positive_));
  }
}

void ClassificationCounts::grow(std::size_t classes) {
  gold_.resize(classes);
  predicted_.resize(classes);
  right_.resize(classes);
}

void ClassificationCounts::add(std::int32_t gold, std::int32_t predicted, std::int64_t times) {
  const auto classes = static_cast<std::int64_t>(gold_.size());
  if (gold < 0 || gold >= classes || predicted < 0 || predicted >= classes) {
    throw std::invalid_argument("classification: a class must be from 0 to " + std::to_string(classes - 1) + ", got " +
                                std::to_string(gold) + " and " + std::to_string(predicted));
  }
  if (times == 0) return;
  examples_ += times;
  gold_[static_cast<std::size_t>(gold)] += times;
  predicted_[static_cast<std::size_t>(predicted)] += times;
  if (gold == predicted) right_[static_cast<std::size_t>(gold)] += times;
  cells_[{gold, predicted}] += times;
}

std::int64_t ClassificationCounts::count(std::int32_t gold, std::int32_t predicted) const {
  const auto found = cells_.find({gold, predicted});
  return found == cells_.end() ? 0 : found->second;
}

static double sum(const std::vector<std::int64_t>& counts) {
  double total = 0;
  for (const std::int64_t count : counts) total += static_cast<double>(count);
  return total;
}

double ClassificationCounts::accuracy() const { return share(sum(right_), static_cast<double>(examples_)); }

std::int32_t ClassificationCounts::majority_class() const {
  return static_cast<std::int32_t>(std::max_element(gold_.begin(), gold_.end()) - gold_.begin());
}

double ClassificationCounts::majority_accuracy() const {
  if (examples_ == 0) return 0;
  return share(static_cast<double>(gold_[static_cast<std::size_t>(majority_class())]), static_cast<double>(examples_));
}

MatchCounts ClassificationCounts::of_class(std::size_t index) const {
  return {static_cast<double>(right_.at(index)), static_cast<double>(predicted_.at(index)),
          static_cast<double>(gold_.at(index))};
}

double ClassificationCounts::matthews() const {
  const double all = static_cast<double>(examples_);
  double both = 0, predicted_squares = 0, gold_squares = 0;
  for (std::size_t k = 0; k < gold_.size(); ++k) {
    const double p = static_cast<double>(predicted_[k]), g = static_cast<double>(gold_[k]);
    both += p * g;
    predicted_squares += p * p;
    gold_squares += g * g;
  }
  const double spread = std::sqrt(all * all - predicted_squares) * std::sqrt(all * all - gold_squares);
  return share(sum(right_) * all - both, spread);
}

MetricValues ClassificationCounts::values() const {
  double f1 = 0, precision = 0, recall = 0, occurring = 0;
  for (std::size_t k = 0; k < gold_.size(); ++k) {
    if (gold_[k] == 0 && predicted_[k] == 0) continue;
    const MatchCounts counts = of_class(k);
    f1 += counts.f1();
    precision += counts.precision();
    recall += counts.recall();
    ++occurring;
  }
  MetricValues values = {{"accuracy", accuracy()}, {"majority_accuracy", majority_accuracy()}};
  if (positive_ >= 0) {
    const MatchCounts counts = of_class(static_cast<std::size_t>(positive_));
    values.insert(values.end(), {{"f1", counts.f1()}, {"precision", counts.precision()}, {"recall", counts.recall()}});
  }
  values.insert(values.end(), {{"f1_macro", share(f1, occurring)},
                               {"precision_macro", share(precision, occurring)},
                               {"recall_macro", share(recall, occurring)},
                               {"matthews", matthews()}});
  return values;
}

std::vector<ClassificationCounts::Confusion> ClassificationCounts::confusions(std::size_t most) const {
  std::vector<Confusion> all;
  for (const auto& [cell, times] : cells_) {
    if (cell.first != cell.second) all.push_back({cell.first, cell.second, times});
  }
  std::stable_sort(all.begin(), all.end(), [](const Confusion& a, const Confusion& b) { return a.times > b.times; });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace rapt
