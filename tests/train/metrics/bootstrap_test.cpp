#include "train/metrics/bootstrap.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "train/metrics/metric.h"

using namespace rapt;

TEST_CASE("quantiles lie between neighbours") {
  const std::vector<double> values = {1, 2, 4, 8};
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile(values, 1) == 8);
  CHECK(quantile(values, 0.5) == 3);
  CHECK(quantile(values, 0.25) == 1.75);
  CHECK(quantile(std::vector<double>{5}, 0.3) == 5);
}

// 400 examples, of which 300 are correct.
static MetricValues accuracy(std::span<const std::uint32_t> times) {
  const auto right = std::accumulate(times.begin(), times.begin() + 300, 0.0);
  return {{"accuracy", right / static_cast<double>(times.size())},
          {"mse", 1 - right / static_cast<double>(times.size())}};
}

TEST_CASE("the interval of a share has the width given by the binomial distribution") {
  const auto intervals = bootstrap_intervals(400, accuracy, {.resamples = 4000});
  REQUIRE(intervals.size() == 2);
  CHECK(intervals[0].first == "accuracy");
  // 0.75 +- 1.96 sqrt(0.75 * 0.25 / 400) = 0.75 +- 0.0424
  CHECK(intervals[0].second.low == doctest::Approx(0.75 - 0.0424).epsilon(0.006));
  CHECK(intervals[0].second.high == doctest::Approx(0.75 + 0.0424).epsilon(0.006));
  CHECK(intervals[1].second.low == doctest::Approx(1 - intervals[0].second.high));
  const auto narrow = bootstrap_intervals(400, accuracy, {.resamples = 4000, .confidence = 0.5});
  CHECK(narrow[0].second.low > intervals[0].second.low);
  CHECK(narrow[0].second.high < intervals[0].second.high);
}

TEST_CASE("each resample draws as many examples as there are, a function of the seed") {
  std::vector<std::vector<std::uint32_t>> seen;
  const auto keep = [&](std::span<const std::uint32_t> times) {
    seen.emplace_back(times.begin(), times.end());
    return MetricValues{{"accuracy", static_cast<double>(times[0])}};
  };
  bootstrap_intervals(7, keep, {.resamples = 3, .seed = 5});
  bootstrap_intervals(7, keep, {.resamples = 3, .seed = 5});
  bootstrap_intervals(7, keep, {.resamples = 3, .seed = 6});
  REQUIRE(seen.size() == 9);
  for (const auto& times : seen) CHECK(std::accumulate(times.begin(), times.end(), 0U) == 7);
  for (int r = 0; r < 3; ++r) CHECK(seen[r] == seen[r + 3]);
  CHECK(seen[0] != seen[1]);
  CHECK(seen[0] != seen[6]);
}

TEST_CASE("resamples without a value are skipped; impossible settings are rejected") {
  int calls = 0;
  const auto sometimes = [&](std::span<const std::uint32_t>) {
    return MetricValues{{"pearson", ++calls % 2 == 0 ? 0.5 : std::numeric_limits<double>::quiet_NaN()}};
  };
  CHECK(bootstrap_intervals(3, sometimes)[0].second.low == 0.5);
  const auto never = [](std::span<const std::uint32_t>) {
    return MetricValues{{"pearson", std::numeric_limits<double>::quiet_NaN()}};
  };
  CHECK(std::isnan(bootstrap_intervals(3, never)[0].second.high));
  CHECK(bootstrap_intervals(0, never).empty());
  CHECK(message_of<UsageError>([&] { bootstrap_intervals(3, never, {.resamples = 1}); }) ==
        "bootstrap: there must be at least 2 resamples, got 1");
  CHECK_THROWS_AS(bootstrap_intervals(3, never, {.confidence = 1}), UsageError);
}

TEST_CASE("a paired test: a difference in every example is certain, one that chance explains is not") {
  const std::vector<double> base = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const auto mean_of = [](std::vector<double> values) {
    return [values](std::span<const std::uint32_t> times) {
      double sum = 0, all = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        sum += times[i] * values[i];
        all += times[i];
      }
      return MetricValues{{"mse", sum / all}};
    };
  };
  std::vector<double> better = base, noisy = base;
  for (double& value : better) value += 1;
  for (std::size_t i = 0; i < noisy.size(); ++i) noisy[i] += i % 2 == 0 ? 3 : -2.9;
  const auto sure = paired_bootstrap(10, mean_of(base), mean_of(better), {.resamples = 200});
  CHECK(sure[0].first == "mse");
  CHECK(sure[0].second.difference == doctest::Approx(1));
  CHECK(sure[0].second.interval.low == doctest::Approx(1));
  CHECK(sure[0].second.p == doctest::Approx(1.0 / 201));
  const PairedDifference unsure = paired_bootstrap(10, mean_of(base), mean_of(noisy), {.resamples = 200})[0].second;
  CHECK(unsure.difference == doctest::Approx(0.05));
  CHECK(unsure.interval.low < 0);
  CHECK(unsure.interval.high > 0);
  CHECK(unsure.p > 0.2);
  const PairedDifference same = paired_bootstrap(10, mean_of(base), mean_of(base), {.resamples = 200})[0].second;
  CHECK(same.p == doctest::Approx(1.0 / 201));  // no resample exceeds a difference of 0, as in sacreBLEU
}

TEST_CASE("metrics are found by name, in a fixed order, with the direction in which they improve") {
  CHECK(metric_info("mse").larger_is_better == false);
  CHECK(message_of<UsageError>([] { metric_info("acuracy"); }).ends_with("got \"acuracy\"; did you mean accuracy?"));
  const MetricValues values = {{"accuracy", 0.5}, {"f1", 0.25}};
  CHECK(metric_value(values, "f1") == 0.25);
  CHECK(message_of<UsageError>([&] { metric_value(values, "pearson"); }) ==
        "metric: for this task it must be one of accuracy, f1, got \"pearson\"");
}
