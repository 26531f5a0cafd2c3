#include "train/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/error.h"
#include "tensor/random.h"

namespace rapt {

double quantile(std::span<const double> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

static Interval interval_of(std::vector<double> values, double confidence) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kNan, kNan};
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - confidence) / 2), quantile(values, (1 + confidence) / 2)};
}

using Score = std::function<MetricValues(std::span<const std::uint32_t>)>;

// Calls visit(r, times) for each resample, with how often each example was drawn.
template <typename Visit>
static void for_each_resample(std::size_t examples, const BootstrapOptions& options, Visit visit) {
  if (options.resamples < 2) {
    throw UsageError("bootstrap: there must be at least 2 resamples, got " + std::to_string(options.resamples));
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw UsageError("bootstrap: the confidence must be between 0 and 1, got " + std::to_string(options.confidence));
  }
  if (examples == 0) return;
  std::vector<std::uint32_t> times(examples);
  for (int r = 0; r < options.resamples; ++r) {
    Rng rng(random_key(options.seed, Purpose::kBootstrap, static_cast<std::uint64_t>(r)));
    std::fill(times.begin(), times.end(), 0U);
    for (std::size_t i = 0; i < examples; ++i) ++times[rng.below(examples)];
    visit(times);
  }
}

std::vector<std::pair<std::string, Interval>> bootstrap_intervals(std::size_t examples, const Score& score,
                                                                  const BootstrapOptions& options) {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;  // of each metric
  for_each_resample(examples, options, [&](const std::vector<std::uint32_t>& times) {
    const MetricValues scored = score(times);
    values.resize(scored.size());
    for (std::size_t m = 0; m < scored.size(); ++m) {
      if (values[m].empty()) names.push_back(scored[m].first);
      values[m].push_back(scored[m].second);
    }
  });
  std::vector<std::pair<std::string, Interval>> intervals;
  for (std::size_t m = 0; m < names.size(); ++m) {
    intervals.emplace_back(names[m], interval_of(std::move(values[m]), options.confidence));
  }
  return intervals;
}

static double p_value(const std::vector<double>& differences, double real) {
  double mean = 0, all = 0, larger = 0;
  for (const double difference : differences) {
    if (std::isnan(difference)) continue;
    mean += std::abs(difference);
    ++all;
  }
  mean /= all;
  for (const double difference : differences) larger += std::abs(difference) - mean > std::abs(real) ? 1 : 0;
  return (larger + 1) / (all + 1);
}

std::vector<std::pair<std::string, PairedDifference>> paired_bootstrap(std::size_t examples, const Score& first,
                                                                       const Score& second,
                                                                       const BootstrapOptions& options) {
  const std::vector<std::uint32_t> once(examples, 1U);
  const MetricValues one = first(once), other = second(once);
  std::vector<std::vector<double>> differences(one.size());
  for_each_resample(examples, options, [&](const std::vector<std::uint32_t>& times) {
    const MetricValues a = first(times), b = second(times);
    for (std::size_t m = 0; m < one.size(); ++m) differences[m].push_back(b[m].second - a[m].second);
  });
  std::vector<std::pair<std::string, PairedDifference>> results;
  for (std::size_t m = 0; m < one.size(); ++m) {
    PairedDifference result;
    result.difference = other[m].second - one[m].second;
    result.p = p_value(differences[m], result.difference);
    result.interval = interval_of(std::move(differences[m]), options.confidence);
    results.emplace_back(one[m].first, result);
  }
  return results;
}

}  // namespace rapt
