// Scores of predicted label sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/metric.h"

namespace rapt {

/// Counts over examples that have any number of labels each.
class MultilabelCounts final {
 public:
  explicit MultilabelCounts(std::size_t labels) : counts_(labels) {}

  /// Adds labels that the model does not know, after those that it does.
  void grow(std::size_t labels) { counts_.resize(labels); }

  /// Adds one example, or `times` equal ones: for each label whether it is set.
  ///
  /// \throws std::invalid_argument  for other sizes
  void add(std::span<const std::uint8_t> gold, std::span<const std::uint8_t> predicted, std::int64_t times = 1);

  std::size_t labels() const { return counts_.size(); }
  std::int64_t examples() const { return examples_; }
  const MatchCounts& of_label(std::size_t index) const { return counts_.at(index); }

  /// f1_micro, precision_micro, recall_micro, f1_macro, precision_macro, recall_macro (means over all labels, including
  /// those that never occur, as in scikit-learn), subset_accuracy.
  MetricValues values() const;

 private:
  std::vector<MatchCounts> counts_;
  std::int64_t examples_ = 0, whole_ = 0;
};

}  // namespace rapt
