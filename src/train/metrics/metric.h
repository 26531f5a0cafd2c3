// The metrics by name: their meanings, and their order in reports.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rapt {

struct MetricInfo {
  std::string_view name;   ///< "f1_macro": the key in JSON, and the value of --metric
  std::string_view about;  ///< one line
  bool larger_is_better = true;
};

/// \throws UsageError  for an unknown metric, with the existing ones and the most similar
const MetricInfo& metric_info(std::string_view name);

/// Names and values, in the order of reports. Ratios are from 0 to 1; scores of texts (text_metric.h), from 0 to
/// 100; an undefined value is NaN.
using MetricValues = std::vector<std::pair<std::string, double>>;

/// The value of one metric. \throws UsageError  if it is not among the values, naming those that are
double metric_value(const MetricValues& values, std::string_view name);

/// a / b, or 0 if b is 0: precision, recall and F1 of classes that do not occur, as in conlleval and scikit-learn.
double share(double a, double b);

/// Counts for precision, recall and their harmonic mean (Van Rijsbergen 1979).
struct MatchCounts {
  double right = 0;  ///< predicted and in the gold data
  double found = 0;  ///< predicted
  double gold = 0;   ///< in the gold data

  double precision() const { return share(right, found); }
  double recall() const { return share(right, gold); }
  double f1() const { return share(2 * right, found + gold); }
  MatchCounts& operator+=(const MatchCounts& other);
};

}  // namespace rapt
