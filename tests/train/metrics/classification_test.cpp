#include "train/metrics/classification.h"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

using namespace rapt;
using Classes = std::vector<std::int32_t>;

static ClassificationCounts counts(std::size_t classes, const Classes& gold, const Classes& predicted,
                                   std::int32_t positive = -1) {
  ClassificationCounts result(classes, positive);
  for (std::size_t i = 0; i < gold.size(); ++i) result.add(gold[i], predicted[i]);
  return result;
}

static double value(const ClassificationCounts& of, const char* name) { return metric_value(of.values(), name); }

TEST_CASE("two classes, by hand: 4 right yes, 1 missed, 2 false alarms, 3 right no") {
  const ClassificationCounts c = counts(2, {0, 1, 1, 0, 1, 1, 0, 0, 1, 0}, {0, 1, 0, 0, 1, 1, 1, 0, 1, 1});
  CHECK(c.accuracy() == doctest::Approx(7.0 / 10));
  CHECK(c.majority_accuracy() == doctest::Approx(5.0 / 10));
  CHECK(value(c, "precision") == doctest::Approx(4.0 / 6));
  CHECK(value(c, "recall") == doctest::Approx(4.0 / 5));
  CHECK(value(c, "f1") == doctest::Approx(8.0 / 11));
  // (4 * 3 - 2 * 1) / sqrt(6 * 5 * 5 * 4)
  CHECK(c.matthews() == doctest::Approx(10 / std::sqrt(600.0)).epsilon(1e-14));
  CHECK(value(c, "f1_macro") == doctest::Approx((8.0 / 11 + 6.0 / 9) / 2));
  // The other class as the positive one.
  CHECK(value(counts(2, {0, 1, 1}, {0, 1, 0}, 0), "f1") == doctest::Approx(2.0 / 3));
}

// scikit-learn 1.9.1: accuracy_score, matthews_corrcoef, precision_recall_fscore_support.
TEST_CASE("four classes as scikit-learn counts them") {
  const ClassificationCounts c = counts(4, {0, 1, 2, 2, 1, 0, 3, 3, 2, 1, 0, 0, 2, 2, 3, 1, 1, 0, 2, 3},
                                        {0, 2, 2, 2, 1, 0, 3, 1, 2, 1, 1, 0, 2, 0, 3, 1, 2, 0, 2, 2});
  CHECK(c.accuracy() == doctest::Approx(0.7).epsilon(1e-14));
  CHECK(c.matthews() == doctest::Approx(0.6002284300277877).epsilon(1e-14));
  CHECK(value(c, "precision_macro") == doctest::Approx(0.75625).epsilon(1e-14));
  CHECK(value(c, "recall_macro") == doctest::Approx(0.6833333333333333).epsilon(1e-14));
  CHECK(value(c, "f1_macro") == doctest::Approx(0.6952380952380952).epsilon(1e-14));
  CHECK(c.majority_class() == 2);
  CHECK(c.majority_accuracy() == doctest::Approx(6.0 / 20));
}

TEST_CASE("classes that never occur are excluded from the macro means") {
  const ClassificationCounts c = counts(4, {0, 0, 2, 2, 2, 0}, {0, 2, 2, 2, 0, 0});
  CHECK(value(c, "f1_macro") == doctest::Approx(2.0 / 3).epsilon(1e-14));
  CHECK(c.matthews() == doctest::Approx(1.0 / 3).epsilon(1e-14));
}

TEST_CASE("undefined values are 0") {
  const ClassificationCounts one = counts(2, {1, 1, 1}, {1, 1, 1});
  CHECK(one.matthews() == 0);  // one class only
  CHECK(value(counts(2, {0, 0}, {0, 0}), "f1") == 0);
  const ClassificationCounts none(3);
  CHECK(none.accuracy() == 0);
  CHECK(none.majority_accuracy() == 0);
  CHECK(value(none, "f1_macro") == 0);
}

TEST_CASE("an example counted twice is two examples; only classes that exist are counted") {
  ClassificationCounts twice(2), weighted(2);
  for (int i = 0; i < 2; ++i) twice.add(1, 0);
  twice.add(1, 1);
  weighted.add(1, 0, 2);
  weighted.add(1, 1, 1);
  weighted.add(0, 0, 0);
  CHECK(weighted.values() == twice.values());
  CHECK(weighted.examples() == 3);
  CHECK_THROWS_AS(twice.add(2, 0), std::invalid_argument);
  CHECK_THROWS_AS(twice.add(0, -1), std::invalid_argument);
  CHECK_THROWS_AS(ClassificationCounts(2, 2), std::invalid_argument);
}

TEST_CASE("the confusion matrix as text") {
  ClassificationCounts c(2);
  c.add(0, 0, 391);
  c.add(0, 1, 37);
  c.add(1, 0, 49);
  c.add(1, 1, 395);
  const std::vector<std::string> names = {"negative", "positive"};
  CHECK(confusion_text(c, names) ==
        "           predicted\n"
        "gold       negative  positive   recall\n"
        "negative        391        37    91.4%\n"
        "positive         49       395    89.0%\n"
        "precision     88.9%     91.4%\n");
  const std::vector<std::string> long_names = {"a name of more than sixteen letters", "\x1B[31m"};
  const std::string text = confusion_text(c, long_names);
  CHECK(text.find("a name of more.. ") != std::string::npos);
  CHECK(text.find('\x1B') == std::string::npos);
}

TEST_CASE("scores of classes are rows; with many classes, only the most frequent ones") {
  ClassificationCounts c(2);
  c.add(0, 0, 391);
  c.add(0, 1, 37);
  c.add(1, 0, 49);
  c.add(1, 1, 395);
  std::vector<std::pair<std::string, MatchCounts>> classes = {{"negative", c.of_class(0)}, {"positive", c.of_class(1)}};
  CHECK(class_text(classes) ==
        "          precision  recall      F1  support\n"
        "negative      88.9%   91.4%   90.1%      428\n"
        "positive      91.4%   89.0%   90.2%      444\n");
  for (int k = 0; k < 20; ++k) classes.emplace_back("rare", MatchCounts{.gold = 1});
  CHECK(class_text(classes).starts_with("the 12 most frequent of 22:\n"));
  CHECK(class_text(classes).find("positive") < class_text(classes).find("negative"));
}

TEST_CASE("with many classes, the most frequent confusions are shown") {
  ClassificationCounts c(20);
  std::vector<std::string> names;
  for (int k = 0; k < 20; ++k) names.push_back("class" + std::to_string(k));
  c.add(3, 4, 7);
  c.add(5, 1, 9);
  c.add(2, 2, 100);
  CHECK(confusion_text(c, names) ==
        "most confused (gold -> predicted):\n"
        "       9  class5 -> class1\n"
        "       7  class3 -> class4\n");
}

TEST_CASE("counts of correct predictions") {
  AccuracyCount count;
  CHECK(count.value() == 0);
  count.add(true);
  count.add(false, 3);
  CHECK(count.value() == 0.25);
}
