// Metrics of generated texts: BLEU, chrF, TER, ROUGE. Each is a function of statistics that are summed over segments
// (sentences, summaries), so scores of a corpus, of one segment, of a bootstrap sample and of a paired test come from
// the same numbers, and texts are compared only once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/metrics/bootstrap.h"
#include "train/metrics/metric.h"

namespace rapt {

class TextMetric {
 public:
  virtual ~TextMetric() = default;

  /// The name in text_metric_names().
  virtual std::string_view name() const = 0;
  /// The settings that the score depends on, in sacreBLEU's notation without number of references and version:
  /// "case:mixed|eff:no|tok:13a|smooth:exp".
  virtual std::string settings() const = 0;
  /// The number of statistics of a segment.
  virtual std::size_t size() const = 0;
  /// The statistics of one segment. Called by several threads at once.
  /// \param references  at least one, in UTF-8
  /// \return  [size()]
  virtual std::vector<double> compare(std::string_view hypothesis, std::span<const std::string> references) const = 0;
  /// The score of a segment or a corpus, on the scale from 0 to 100 (TER can be larger).
  /// \param sums  [size()], over segments
  virtual double score(std::span<const double> sums) const = 0;
  /// What explains the score: "57.3/35.0/... (BP = 0.98 ...)". Empty if nothing does.
  virtual std::string details(std::span<const double> /*sums*/) const { return {}; }
};

/// What can be chosen for the metrics of the table.
struct TextMetricOptions {
  bool lowercase = false;           ///< bleu, chrf: compare in lower case
  std::string tokenize = "13a";     ///< bleu: 13a, intl, char, none
  std::string smooth = "exp";       ///< bleu: exp, floor, add-k, none
  double smooth_value = -1;         ///< bleu: of floor and add-k; negative: sacreBLEU's default
  bool effective_order = false;     ///< bleu: ignore the orders for which a text is too short; for single sentences
  bool ter_case_sensitive = false;  ///< ter
  bool ter_normalize = false;       ///< ter: separate punctuation, decode entities
  bool ter_punctuation = true;      ///< ter: off removes punctuation
  bool ter_asian = false;           ///< ter: with the two above, also for Chinese and Japanese characters
  bool stem = false;                ///< rouge: compare stems of English words
};

/// "bleu", "chrf", "chrf++", "ter", "rouge-1", "rouge-2", "rouge-l", "rouge-lsum".
std::vector<std::string> text_metric_names();

/// \param option  the option that named it, for messages
/// \throws UsageError  for an unknown name, with the most similar one; for an unknown tokenization or smoothing
std::unique_ptr<TextMetric> make_text_metric(std::string_view name, const TextMetricOptions& options = {},
                                             std::string_view option = "--metrics");

/// \throws UsageError  as make_text_metric, and for a name that occurs twice
std::vector<std::unique_ptr<TextMetric>> make_text_metrics(std::span<const std::string> names,
                                                           const TextMetricOptions& options = {},
                                                           std::string_view option = "--metrics");
/// The metrics of a list such as "bleu,chrf".
std::vector<std::unique_ptr<TextMetric>> make_text_metrics(std::string_view list,
                                                           const TextMetricOptions& options = {});

/// sacreBLEU's notation: "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:rapt-0.1.0".
/// \param bootstrap  null if no interval was computed
std::string signature(const TextMetric& metric, std::size_t references, const BootstrapOptions* bootstrap = nullptr);

/// The statistics of every segment of a corpus under several metrics.
class TextScores final {
 public:
  /// Compares on all threads.
  /// \param metrics     must outlive this
  /// \param hypotheses  one for each segment
  /// \param references  of each segment, at least one
  TextScores(std::span<const std::unique_ptr<TextMetric>> metrics, std::span<const std::string> hypotheses,
             std::span<const std::vector<std::string>> references);

  std::size_t segments() const { return segments_; }
  /// Scores of the corpus. `times` says how often each segment counts: for bootstrap_intervals.
  MetricValues values(std::span<const std::uint32_t> times = {}) const;
  /// Scores of one segment.
  MetricValues segment(std::size_t index) const;
  /// The statistics of one metric, summed over the corpus.
  std::vector<double> sums(std::size_t metric, std::span<const std::uint32_t> times = {}) const;

 private:
  std::span<const std::unique_ptr<TextMetric>> metrics_;
  std::size_t segments_;
  std::vector<std::vector<double>> statistics_;  // per metric: [segments, size()]
};

}  // namespace rapt
