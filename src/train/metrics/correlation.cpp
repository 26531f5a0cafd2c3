#include "train/metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace rapt {

void PearsonSums::add(double x, double y, double times) {
  if (times == 0) return;
  count_ += times;
  const double dx = x - mean_x_, dy = y - mean_y_;
  mean_x_ += dx * times / count_;
  mean_y_ += dy * times / count_;
  xx_ += times * dx * (x - mean_x_);
  yy_ += times * dy * (y - mean_y_);
  xy_ += times * dx * (y - mean_y_);
}

double PearsonSums::value() const {
  const double spread = std::sqrt(xx_) * std::sqrt(yy_);
  if (!(count_ > 1) || spread == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(xy_ / spread, -1.0, 1.0);  // NaN stays
}

std::vector<double> ranks(std::span<const double> values, std::span<const std::uint32_t> times) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  double before = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double equal = 0;
    do {
      equal += times.empty() ? 1.0 : static_cast<double>(times[order[end]]);
      ++end;
    } while (end < order.size() && values[order[end]] == values[order[begin]]);
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = before + (equal + 1) / 2;
    before += equal;
    begin = end;
  }
  return result;
}

double spearman(std::span<const double> x, std::span<const double> y, std::span<const std::uint32_t> times) {
  const auto is_nan = [](double value) { return std::isnan(value); };  // has no rank, and breaks sorting
  if (std::any_of(x.begin(), x.end(), is_nan) || std::any_of(y.begin(), y.end(), is_nan)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const std::vector<double> rank_x = ranks(x, times), rank_y = ranks(y, times);
  PearsonSums sums;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sums.add(rank_x[i], rank_y[i], times.empty() ? 1.0 : static_cast<double>(times[i]));
  }
  return sums.value();
}

void RegressionScores::add(double gold, double predicted) {
  gold_.push_back(gold);
  predicted_.push_back(predicted);
}

MetricValues RegressionScores::values(std::span<const std::uint32_t> times) const {
  PearsonSums sums;
  double squared = 0, absolute = 0;
  for (std::size_t i = 0; i < gold_.size(); ++i) {
    const double count = times.empty() ? 1.0 : static_cast<double>(times[i]);
    const double error = predicted_[i] - gold_[i];
    sums.add(gold_[i], predicted_[i], count);
    if (count == 0) continue;
    squared += count * error * error;
    absolute += count * std::abs(error);
  }
  return {{"pearson", sums.value()},
          {"spearman", spearman(gold_, predicted_, times)},
          {"mse", share(squared, sums.count())},
          {"mae", share(absolute, sums.count())}};
}

}  // namespace rapt
