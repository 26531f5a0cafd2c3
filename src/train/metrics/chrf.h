// chrF (Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation") and chrF++ (Popović 2017, "chrF++:
// words helping character n-grams"), equal to sacreBLEU.
#pragma once

#include "train/metrics/text_metric.h"

namespace rapt {

struct ChrfOptions {
  std::size_t characters = 6;  ///< longest n-grams of characters
  std::size_t words = 0;       ///< longest n-grams of words; 2 for chrF++
  double beta = 2;             ///< weight of recall relative to precision
  bool lowercase = false;
  bool white_space = false;  ///< n-grams of characters contain white space
  /// Orders for which a text is too short count, with precision or recall 1e-16, as in chrF++.py. Otherwise they are
  /// left out of the mean.
  bool every_order = false;
};

class Chrf final : public TextMetric {
 public:
  explicit Chrf(const ChrfOptions& options) : options_(options) {}

  std::string_view name() const override { return options_.words > 0 ? "chrf++" : "chrf"; }
  std::string settings() const override;
  /// For each order, n-grams of the hypothesis, of the reference, and in both; of the reference with the best score.
  std::size_t size() const override { return 3 * (options_.characters + options_.words); }
  std::vector<double> compare(std::string_view hypothesis, std::span<const std::string> references) const override;
  double score(std::span<const double> sums) const override;

 private:
  ChrfOptions options_;
};

}  // namespace rapt
