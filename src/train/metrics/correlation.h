// Scores of predicted numbers: errors, and correlations of values and of ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/metric.h"

namespace rapt {

/// Pearson's correlation in one pass and constant memory. Means and sums of products of deviations are updated together
/// (Welford 1962; Chan, Golub, LeVeque 1983), because the textbook formula E[xy] - E[x]E[y] cancels if means are large.
class PearsonSums final {
 public:
  /// Adds one pair, or `times` equal ones.
  void add(double x, double y, double times = 1);
  double count() const { return count_; }
  /// From -1 to 1; NaN with fewer than two pairs or if one side is constant.
  double value() const;

 private:
  double count_ = 0, mean_x_ = 0, mean_y_ = 0, xx_ = 0, yy_ = 0, xy_ = 0;
};

/// Ranks from 1; equal values share their mean rank. \param times  how often each value counts; empty: once
std::vector<double> ranks(std::span<const double> values, std::span<const std::uint32_t> times = {});

/// Spearman's correlation: Pearson's of the ranks (Spearman 1904).
double spearman(std::span<const double> x, std::span<const double> y, std::span<const std::uint32_t> times = {});

/// All metrics of regression. Ranks need all values: 16 bytes per example.
class RegressionScores final {
 public:
  void add(double gold, double predicted);
  std::size_t examples() const { return gold_.size(); }

  /// pearson, spearman, mse, mae. \param times  how often each example counts, for bootstrap_interval; empty: once
  MetricValues values(std::span<const std::uint32_t> times = {}) const;

 private:
  std::vector<double> gold_, predicted_;
};

}  // namespace rapt
