// ROUGE (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"), equal to Google's rouge_score. Its words
// are runs of a-z and 0-9, so it suits languages that are written with these letters.
#pragma once

#include "train/metrics/text_metric.h"

namespace rapt {

enum class RougeKind {
  k1,     ///< single words
  k2,     ///< pairs of words
  kL,     ///< longest common subsequence of the whole texts
  kLsum,  ///< longest common subsequences of lines: of each reference line, the union over the hypothesis's lines
};

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;  ///< from 0 to 1
};

/// \param stem  words of more than 3 characters are compared by their porter_stem
RougeScore rouge(RougeKind kind, std::string_view hypothesis, std::string_view reference, bool stem = false);

/// The mean F1 of the segments. Of several references, the one with the largest F1 counts.
class Rouge final : public TextMetric {
 public:
  Rouge(RougeKind kind, bool stem) : kind_(kind), stem_(stem) {}

  std::string_view name() const override;
  std::string settings() const override;
  /// F1, precision, recall, 1.
  std::size_t size() const override { return 4; }
  std::vector<double> compare(std::string_view hypothesis, std::span<const std::string> references) const override;
  double score(std::span<const double> sums) const override;
  std::string details(std::span<const double> sums) const override;

 private:
  RougeKind kind_;
  bool stem_;
};

}  // namespace rapt
