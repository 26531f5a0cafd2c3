// Confidence intervals of scores by resampling the test set (Efron 1979; Efron and Tibshirani 1993, "An Introduction to
// the Bootstrap", chapter 13, the percentile interval).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/metrics/metric.h"

namespace rapt {

struct BootstrapOptions {
  int resamples = 1000;
  double confidence = 0.95;
  std::uint64_t seed = 1;
};

struct Interval {
  double low = 0, high = 0;
};

/// An interval for each metric that `score` returns.
///
/// Resample r draws as many examples as there are, with replacement, from the stream of (seed, kBootstrap, r), so the
/// result is a function of the arguments alone. `score` receives how often each example was drawn, and must return its
/// metrics in the same order each time. An interval lies between the quantiles (1 - confidence) / 2 and (1 +
/// confidence) / 2 of a metric's values, with linear interpolation. Resamples in which it is NaN are skipped; if all
/// are NaN, the interval is NaN.
///
/// An example is the unit that was sampled independently: a sentence for tags, a question for answers. Time grows with
/// resamples * examples, memory with their sum.
///
/// \throws UsageError  for fewer than 2 resamples, or a confidence that is not between 0 and 1
std::vector<std::pair<std::string, Interval>> bootstrap_intervals(
    std::size_t examples, const std::function<MetricValues(std::span<const std::uint32_t>)>& score,
    const BootstrapOptions& options = {});

/// The comparison of two systems on the same examples, for one metric.
struct PairedDifference {
  double difference = 0;  ///< of the second system from the first
  Interval interval;      ///< of the difference
  double p = 1;           ///< how likely a difference as large would be if the systems were equally good
};

/// A paired bootstrap test for each metric (Koehn 2004, "Statistical Significance Tests for Machine Translation
/// Evaluation"), as sacreBLEU's --paired-bs. Both systems are scored on the same resamples, as in bootstrap_intervals;
/// with d the absolute difference in a resample, p = (1 + number of resamples in which d minus its mean exceeds the
/// real one) / (1 + resamples). Resamples in which a score is NaN are skipped. 	hrows UsageError  as
/// bootstrap_intervals
std::vector<std::pair<std::string, PairedDifference>> paired_bootstrap(
    std::size_t examples, const std::function<MetricValues(std::span<const std::uint32_t>)>& first,
    const std::function<MetricValues(std::span<const std::uint32_t>)>& second, const BootstrapOptions& options = {});

/// The value below which a share `q` of the sorted values lies, with linear interpolation between neighbours (numpy's
/// default; Hyndman and Fan 1996, type 7). \pre values is sorted and not empty
double quantile(std::span<const double> sorted, double q);

}  // namespace rapt
