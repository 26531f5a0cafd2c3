#include "train/metrics/correlation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace rapt;
using Values = std::vector<double>;

static const Values kX = {5.0, 4.75, 5.0, 2.4, 2.75, 2.615, 5.0, 2.333, 3.75, 5.0, 3.2, 1.583};
static const Values kY = {4.9, 4.1, 4.4, 2.8, 3.1, 2.0, 4.4, 2.8, 3.3, 4.95, 3.3, 0.5};

static double pearson(const Values& x, const Values& y) {
  PearsonSums sums;
  for (std::size_t i = 0; i < x.size(); ++i) sums.add(x[i], y[i]);
  return sums.value();
}

TEST_CASE("equal values share the mean of their ranks") {
  CHECK(ranks(Values{10, 20, 10, 5}) == Values{2.5, 4, 2.5, 1});
  CHECK(ranks(Values{7, 7, 7}) == Values{2, 2, 2});
  CHECK(ranks(Values{}).empty());
  const std::vector<std::uint32_t> times = {1, 2, 1, 0};  // 10, 20, 20, 10
  CHECK(ranks(Values{10, 20, 10, 5}, times) == Values{1.5, 3.5, 1.5, 0.5});
}

TEST_CASE("by hand: 1 2 3 against 1 3 2") {
  CHECK(pearson({1, 2, 3}, {1, 3, 2}) == doctest::Approx(0.5));
  CHECK(pearson({1, 2, 3}, {2, 4, 6}) == doctest::Approx(1).epsilon(1e-15));
  CHECK(pearson({1, 2, 3}, {3, 2, 1}) == doctest::Approx(-1).epsilon(1e-15));
  CHECK(spearman(Values{1, 2, 3}, Values{1, 8, 9}) == doctest::Approx(1).epsilon(1e-15));
}

// scipy 1.17.1: pearsonr, spearmanr; scikit-learn 1.9.1: mean_squared_error, mean_absolute_error.
TEST_CASE("with ties as in scipy") {
  RegressionScores scores;
  for (std::size_t i = 0; i < kX.size(); ++i) scores.add(kX[i], kY[i]);
  const MetricValues values = scores.values();
  CHECK(metric_value(values, "pearson") == doctest::Approx(0.9246044548957342).epsilon(1e-14));
  CHECK(metric_value(values, "spearman") == doctest::Approx(0.9589302860432888).epsilon(1e-14));
  CHECK(metric_value(values, "mse") == doctest::Approx(0.2849335833333333).epsilon(1e-14));
  CHECK(metric_value(values, "mae") == doctest::Approx(0.4554166666666666).epsilon(1e-14));
}

TEST_CASE("a large mean costs no precision beyond that of the values") {
  Values x;
  for (const double v : kX) x.push_back(v + 1e6);
  CHECK(pearson(x, kY) == doctest::Approx(pearson(kX, kY)).epsilon(1e-9));
  // A case for which E[xy] - E[x]E[y] is wrong in the first digit.
  Values far;
  for (int i = 0; i < 8; ++i) far.push_back(1e9 + i);
  CHECK(pearson(far, {0, 1, 2, 3, 4, 5, 6, 7}) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("constant values, missing pairs and NaN give no correlation") {
  CHECK(std::isnan(pearson({1, 1, 1}, {1, 2, 3})));
  CHECK(std::isnan(pearson({1}, {1})));
  CHECK(std::isnan(pearson({}, {})));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(pearson({1, nan, 3}, {1, 2, 3})));
  CHECK(std::isnan(spearman(Values{1, nan, 3}, Values{1, 2, 3})));
  CHECK(ranks(Values{nan, nan}).size() == 2);
  CHECK(metric_value(RegressionScores().values(), "mse") == 0);
}

TEST_CASE("an example counted twice is two examples") {
  RegressionScores once, twice;
  for (std::size_t i = 0; i < kX.size(); ++i) {
    once.add(kX[i], kY[i]);
    for (std::size_t j = 0; j < i % 3; ++j) twice.add(kX[i], kY[i]);
  }
  std::vector<std::uint32_t> times;
  for (std::size_t i = 0; i < kX.size(); ++i) times.push_back(static_cast<std::uint32_t>(i % 3));
  const MetricValues a = once.values(times), b = twice.values();
  for (std::size_t m = 0; m < a.size(); ++m) {
    CAPTURE(a[m].first);
    CHECK(a[m].second == doctest::Approx(b[m].second).epsilon(1e-13));
  }
}
