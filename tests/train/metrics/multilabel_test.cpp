#include "train/metrics/multilabel.h"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <vector>

using namespace rapt;
using Row = std::vector<std::uint8_t>;

static MultilabelCounts multilabel_counts(const std::vector<Row>& gold, const std::vector<Row>& predicted) {
  MultilabelCounts result(gold.front().size());
  for (std::size_t i = 0; i < gold.size(); ++i) result.add(gold[i], predicted[i]);
  return result;
}

static const std::vector<Row> kGold = {{1, 0, 1}, {0, 0, 0}, {1, 1, 0}, {0, 1, 1}, {1, 0, 0}, {0, 0, 1}};
static const std::vector<Row> kPredicted = {{1, 0, 0}, {0, 0, 0}, {1, 1, 0}, {1, 1, 1}, {0, 0, 0}, {0, 0, 1}};

// By hand: label 0 has 2 correct of 3 found and 3 gold, label 1 2 of 2 and 2, label 2 2 of 2 and 3. scikit-learn
// 1.9.1's precision_recall_fscore_support and accuracy_score give the same.
TEST_CASE("micro counts decisions, macro labels, subset accuracy examples") {
  const MetricValues values = multilabel_counts(kGold, kPredicted).values();
  CHECK(metric_value(values, "precision_micro") == doctest::Approx(6.0 / 7));
  CHECK(metric_value(values, "recall_micro") == doctest::Approx(6.0 / 8));
  CHECK(metric_value(values, "f1_micro") == doctest::Approx(12.0 / 15));
  CHECK(metric_value(values, "precision_macro") == doctest::Approx((2.0 / 3 + 1 + 1) / 3));
  CHECK(metric_value(values, "recall_macro") == doctest::Approx((2.0 / 3 + 1 + 2.0 / 3) / 3));
  CHECK(metric_value(values, "f1_macro") == doctest::Approx((2.0 / 3 + 1 + 4.0 / 5) / 3));
  CHECK(metric_value(values, "subset_accuracy") == doctest::Approx(3.0 / 6));
}

TEST_CASE("a label that never occurs counts 0 in the macro mean; nothing at all is 0") {
  MultilabelCounts four(4);
  for (std::size_t i = 0; i < kGold.size(); ++i) {
    Row gold = kGold[i], predicted = kPredicted[i];
    gold.push_back(0);
    predicted.push_back(0);
    four.add(gold, predicted);
  }
  CHECK(metric_value(four.values(), "f1_macro") == doctest::Approx((2.0 / 3 + 1 + 4.0 / 5) / 4));
  CHECK(metric_value(MultilabelCounts(2).values(), "f1_micro") == 0);
}

TEST_CASE("an example counted twice is two examples; sizes must fit") {
  MultilabelCounts twice(3), weighted(3);
  twice.add(kGold[0], kPredicted[0]);
  twice.add(kGold[0], kPredicted[0]);
  weighted.add(kGold[0], kPredicted[0], 2);
  CHECK(twice.values() == weighted.values());
  CHECK_THROWS_AS(twice.add(Row{1}, kPredicted[0]), std::invalid_argument);
}
