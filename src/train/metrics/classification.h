// Scores of predicted classes: counts whose size does not depend on the number of examples, and metrics computed from
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/metrics/metric.h"

namespace rapt {

/// Counts of correct predictions: for next-sentence and masked-word predictions of pretraining, and multiple choice.
struct AccuracyCount {
  std::int64_t right = 0, all = 0;
  void add(bool is_right, std::int64_t times = 1) {
    right += is_right ? times : 0;
    all += times;
  }
  AccuracyCount& operator+=(const AccuracyCount& other) {
    right += other.right;
    all += other.all;
    return *this;
  }
  double value() const { return share(static_cast<double>(right), static_cast<double>(all)); }
};

/// Counts of (gold class, predicted class).
class ClassificationCounts final {
 public:
  /// \param positive  the class that f1, precision and recall refer to; -1: class 1 of two, none of more
  explicit ClassificationCounts(std::size_t classes, std::int32_t positive = -1);

  /// Adds classes that the model does not know, after those that it does; the positive class stays the same.
  void grow(std::size_t classes);
  /// The class that f1, precision and recall refer to; -1: none.
  std::int32_t positive() const { return positive_; }

  /// Adds one example, or `times` equal ones. \throws std::invalid_argument  for a class that does not exist
  void add(std::int32_t gold, std::int32_t predicted, std::int64_t times = 1);

  std::size_t classes() const { return gold_.size(); }
  std::int64_t examples() const { return examples_; }
  std::int64_t count(std::int32_t gold, std::int32_t predicted) const;

  double accuracy() const;
  /// The accuracy of always predicting the most frequent class of the gold data.
  double majority_accuracy() const;
  std::int32_t majority_class() const;  ///< the first one if several are equally frequent
  MatchCounts of_class(std::size_t index) const;
  /// Matthews 1975 for two classes; for more, Gorodkin 2004, "Comparing two K-category assignments by a K-category
  /// correlation coefficient", equation 8. 0 if one side has only one class.
  double matthews() const;

  /// accuracy, majority_accuracy, f1, precision, recall (if there is a positive class), f1_macro, precision_macro,
  /// recall_macro, matthews. Macro means are over the classes that occur in gold data or predictions, as in
  /// scikit-learn.
  MetricValues values() const;

  /// The confused pairs, most frequent first: at most `most`.
  struct Confusion {
    std::int32_t gold, predicted;
    std::int64_t times;
  };
  std::vector<Confusion> confusions(std::size_t most) const;

 private:
  std::vector<std::int64_t> gold_, predicted_, right_;                   // per class
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> cells_;  // nonzero cells
  std::int64_t examples_ = 0;
  std::int32_t positive_;
};

/// Scores of classes or labels as text, one row each, in the given order; of more than 12, the 12 most frequent in the
/// gold data. Names as in confusion_text.
///
///                precision  recall      F1  support
///     negative       88.9%   91.4%   90.1%      428
///     positive       91.4%   89.0%   90.2%      444
std::string class_text(std::span<const std::pair<std::string, MatchCounts>> classes);

/// The matrix as text, one row per gold class:
///
///                 predicted
///     gold        negative  positive   recall
///     negative         391        37    91.4%
///     positive          49       395    89.0%
///     precision      88.9%     91.4%
///
/// With more than 12 classes, the 12 most frequent confusions instead, one line each. Names are escaped for terminals
/// and truncated to 16 characters.
std::string confusion_text(const ClassificationCounts& counts, std::span<const std::string> names);

}  // namespace rapt
