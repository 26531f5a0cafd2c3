// Exact match and F1 of answers, equal to SQuAD's own scripts, evaluate-v1.1.py and evaluate-v2.0.py (Rajpurkar et al.
// 2016 and 2018).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "train/metrics/metric.h"

namespace rapt {

/// The normal form in which answers are compared: lower case, without ASCII punctuation, without the words a, an and
/// the, and with one space between the remaining words. Words and spaces are defined by Unicode, as in Python.
std::string normalize_answer(std::string_view text);

struct AnswerScore {
  double exact = 0;  ///< 0 or 1
  double f1 = 0;     ///< of words, as multisets
};

/// The best value of each measure over the gold answers. With `may_be_unanswerable`, as in version 2: without gold
/// answers, the empty answer is correct; gold answers that normalise to nothing are ignored; and two empty answers have
/// F1 1. Otherwise, as in version 1.1, they have F1 0.
AnswerScore score_answer(std::string_view prediction, std::span<const std::string> gold, bool may_be_unanswerable);

/// Sums over questions.
class SquadScores final {
 public:
  explicit SquadScores(bool may_be_unanswerable) : may_be_unanswerable_(may_be_unanswerable) {}

  /// Adds one question; returns its own scores, for bootstrap_intervals.
  AnswerScore add(std::string_view prediction, std::span<const std::string> gold);
  std::int64_t questions() const { return answerable_.questions + unanswerable_.questions; }

  /// f1 and exact_match; for version 2 also exact_match_answerable, f1_answerable and accuracy_unanswerable, if there
  /// are such questions. From 0 to 1, where the scripts print per cent.
  MetricValues values() const;

 private:
  struct Sums {
    std::int64_t questions = 0;
    double exact = 0, f1 = 0;
  };
  bool may_be_unanswerable_;
  Sums answerable_, unanswerable_;
};

}  // namespace rapt
