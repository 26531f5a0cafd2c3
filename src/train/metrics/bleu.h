// BLEU (Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"), equal to sacreBLEU.
#pragma once

#include <optional>

#include "train/metrics/text_metric.h"
#include "train/metrics/text_tokenization.h"

namespace rapt {

/// What replaces a precision of 0 (Chen and Cherry 2014, "A Systematic Comparison of Smoothing Techniques for
/// Sentence-Level BLEU"): method 3, method 1, method 2, nothing.
enum class BleuSmoothing { kExp, kFloor, kAddK, kNone };

struct BleuOptions {
  bool lowercase = false;
  BleuTokenization tokenization = BleuTokenization::k13a;
  BleuSmoothing smoothing = BleuSmoothing::kExp;
  double smooth_value = -1;  ///< negative: 0.1 for kFloor, 1 for kAddK
  bool effective_order = false;
  std::size_t order = 4;  ///< longest n-grams

  /// From the words of TextMetricOptions. \throws UsageError  for an unknown tokenization or smoothing
  static BleuOptions of(const TextMetricOptions& options);
};

class Bleu final : public TextMetric {
 public:
  explicit Bleu(const BleuOptions& options) : options_(options) {}

  std::string_view name() const override { return "bleu"; }
  std::string settings() const override;
  /// Length of the hypothesis, of the reference closest in length, then for each order the matches, then the n-grams.
  std::size_t size() const override { return 2 + 2 * options_.order; }
  std::vector<double> compare(std::string_view hypothesis, std::span<const std::string> references) const override;
  double score(std::span<const double> sums) const override;
  std::string details(std::span<const double> sums) const override;

 private:
  struct Parts {
    double brevity = 1;              // exp(1 - reference length / hypothesis length), at most 1
    std::vector<double> precisions;  // per order, in per cent
    double score = 0;
  };
  double smooth_value() const;
  Parts parts(std::span<const double> sums) const;

  BleuOptions options_;
};

}  // namespace rapt
