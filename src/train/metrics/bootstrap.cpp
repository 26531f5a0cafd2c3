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

std::vector<std::pair<std::string, Interval>> bootstrap_intervals(
    std::size_t examples, const std::function<MetricValues(std::span<const std::uint32_t>)>& score,
    const BootstrapOptions& options) {
  if (options.resamples < 2) {
    throw UsageError("bootstrap: there must be at least 2 resamples, got " + std::to_string(options.resamples));
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw UsageError("bootstrap: the confidence must be between 0 and 1, got " + std::to_string(options.confidence));
  }
  std::vector<std::pair<std::string, Interval>> intervals;
  if (examples == 0) return intervals;

  std::vector<std::uint32_t> times(examples);
  std::vector<std::vector<double>> values;  // of each metric
  for (int r = 0; r < options.resamples; ++r) {
    Rng rng(random_key(options.seed, Purpose::kBootstrap, static_cast<std::uint64_t>(r)));
    std::fill(times.begin(), times.end(), 0U);
    for (std::size_t i = 0; i < examples; ++i) ++times[rng.below(examples)];
    const MetricValues scored = score(times);
    values.resize(scored.size());
    for (std::size_t m = 0; m < scored.size(); ++m) {
      if (r == 0) intervals.emplace_back(scored[m].first, Interval{});
      values[m].push_back(scored[m].second);
    }
  }
  for (std::size_t m = 0; m < intervals.size(); ++m) {
    intervals[m].second = interval_of(std::move(values[m]), options.confidence);
  }
  return intervals;
}

}  // namespace rapt
