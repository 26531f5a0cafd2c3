#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "train/metrics/squad_score.h"

using namespace rapt;
using Answers = std::vector<std::string>;

TEST_CASE("answers are compared without case, punctuation, articles and spaces") {
  CHECK(normalize_answer("The  10th-century, (Norman) Conquest!") == "10thcentury norman conquest");
  CHECK(normalize_answer("a an the A An THE") == "");
  CHECK(normalize_answer("theatre another an.d") == "theatre another and");
  CHECK(normalize_answer("\tÉcole\u00A0de\u2003Paris\x1C") == "école de paris");
  CHECK(normalize_answer("the_cat") == "thecat");                   // an underscore is punctuation
  CHECK(normalize_answer("x\u2014a\u2014y") == "x\u2014 \u2014y");  // a Unicode dash is not, but ends a word
  CHECK(normalize_answer("a\u0301") == "\u0301");  // nor is an accent part of a word in Python's regular expressions
  CHECK(normalize_answer("2\u00BD the\u0661 a\u00AA") == "2\u00BD the\u0661 a\u00AA");
  CHECK(normalize_answer("ΟΔΟΣ ΣΑΣ.") == "οδος σας");  // a sigma at the end of a word
  CHECK(normalize_answer("") == "");
}

static AnswerScore score(const std::string& prediction, const Answers& gold, bool version_2 = false) {
  return score_answer(prediction, gold, version_2);
}

TEST_CASE("the best gold answer counts, for each measure its own") {
  CHECK(score("the Norman conquest", {"Norman Conquest."}).exact == 1);
  CHECK(score("in the 10th century", {"10th century"}).exact == 0);
  CHECK(score("in the 10th century", {"10th century"}).f1 == doctest::Approx(0.8));
  CHECK(score("10th century", {"11th", "the century", "10th century or so"}).f1 == doctest::Approx(2.0 / 3));
  CHECK(score("to be or to be", {"to be to"}).f1 ==
        doctest::Approx(2 * 3.0 / 8));  // to, be, to: words count as often as they occur
  CHECK(score("x", {"y"}).f1 == 0);
}

TEST_CASE("empty answers: version 1.1 gives no F1, version 2 does") {
  CHECK(score("the", {"a"}).exact == 1);
  CHECK(score("the", {"a"}).f1 == 0);
  CHECK(score("", {}, true).exact == 1);
  CHECK(score("", {}, true).f1 == 1);
  CHECK(score("x", {}, true).exact == 0);
  CHECK(score("", {"x"}, true).f1 == 0);
  CHECK(score("", {"the", "x"}, true).exact == 0);  // a gold answer that normalises to nothing is ignored
  CHECK(score("the", {"a"}, true).f1 == 1);
  CHECK(score("x", {}).f1 == 0);
}

TEST_CASE("sums over questions; version 2 also separates those with and without answers") {
  SquadScores version_1(false), version_2(true);
  for (SquadScores* scores : {&version_1, &version_2}) {
    scores->add("in the 10th century", Answers{"10th century"});
    scores->add("Paris", Answers{"paris", "in Paris"});
  }
  CHECK(version_1.values() == MetricValues{{"f1", 0.9}, {"exact_match", 0.5}});
  version_2.add("", Answers{});
  version_2.add("something", Answers{});
  CHECK(version_2.questions() == 4);
  const MetricValues values = version_2.values();
  CHECK(metric_value(values, "f1") == doctest::Approx(2.8 / 4));
  CHECK(metric_value(values, "exact_match") == doctest::Approx(0.5));
  CHECK(metric_value(values, "exact_match_answerable") == doctest::Approx(0.5));
  CHECK(metric_value(values, "f1_answerable") == doctest::Approx(0.9));
  CHECK(metric_value(values, "accuracy_unanswerable") == doctest::Approx(0.5));
  CHECK(SquadScores(true).values() == MetricValues{{"f1", 0.0}, {"exact_match", 0.0}});
}
