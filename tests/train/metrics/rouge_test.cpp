#include "train/metrics/rouge.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "train/metrics/porter_stemmer.h"

using namespace rapt;

namespace {

const std::string kRougeTarget =
    "The keepers were lighting the lamps.\nShips sailed relationally north at dawn.\n\nNobody slept.";
const std::string kRougeSaid =
    "At dawn the keeper lit a lamp, lighting it.\nThe ships were sailing north; nobody was sleeping.";

void check(RougeKind kind, bool stem, const RougeScore& expected) {
  const RougeScore score = rouge(kind, kRougeSaid, kRougeTarget, stem);
  CHECK(score.precision == doctest::Approx(expected.precision).epsilon(1e-14));
  CHECK(score.recall == doctest::Approx(expected.recall).epsilon(1e-14));
  CHECK(score.f1 == doctest::Approx(expected.f1).epsilon(1e-14));
}

}  // namespace

TEST_CASE("ROUGE is rouge_score's, without and with stems") {
  check(RougeKind::k1, false, {0.5294117647058824, 0.6428571428571429, 0.5806451612903226});
  check(RougeKind::k2, false, {0.0625, 0.07692307692307693, 0.06896551724137931});
  check(RougeKind::kL, false, {0.35294117647058826, 0.42857142857142855, 0.3870967741935484});
  check(RougeKind::kLsum, false, {0.47058823529411764, 0.5714285714285714, 0.5161290322580646});
  check(RougeKind::k1, true, {0.7058823529411765, 0.8571428571428571, 0.7741935483870968});
  check(RougeKind::k2, true, {0.125, 0.15384615384615385, 0.13793103448275862});
  check(RougeKind::kL, true, {0.47058823529411764, 0.5714285714285714, 0.5161290322580646});
  check(RougeKind::kLsum, true, {0.5882352941176471, 0.7142857142857143, 0.6451612903225806});
}

TEST_CASE("of several references the best counts; a corpus has the mean of its texts") {
  const std::vector<std::string> references = {kRougeTarget, "At dawn the keeper lit the lamp"};
  const Rouge metric(RougeKind::k1, false);
  std::vector<double> sums = metric.compare(kRougeSaid, references);
  CHECK(metric.score(sums) == doctest::Approx(58.33333333333334));
  CHECK(metric.details(sums) == "precision 41.18, recall 100.00");
  const std::vector<double> nothing = metric.compare("", references);
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += nothing[k];
  CHECK(metric.score(sums) == doctest::Approx(58.33333333333334 / 2));
  CHECK(metric.settings() == "stem:no");
}

TEST_CASE("words are runs of a-z and 0-9 in lower case") {
  CHECK(rouge(RougeKind::k1, "naïve \u212Aelvin", "na ve KELVIN").f1 == 1);  // U+212A is the Kelvin sign
  CHECK(rouge(RougeKind::k1, "Привет", "Привет").f1 == 0);
  CHECK(rouge(RougeKind::k2, "one", "one").f1 == 0);
  CHECK(rouge(RougeKind::kLsum, "\n\n", "a").f1 == 0);
  // Of equally long common subsequences, the choice is rouge_score's.
  CHECK(rouge(RougeKind::kLsum, "b a\na a a", "c d a b").f1 == doctest::Approx(2.0 / 9));
}

TEST_CASE("stems are NLTK's, for each step of the algorithm") {
  const std::pair<const char*, const char*> stems[] = {{"caresses", "caress"},
                                                       {"ponies", "poni"},
                                                       {"dies", "die"},
                                                       {"flies", "fli"},
                                                       {"cats", "cat"},
                                                       {"caress", "caress"},
                                                       {"feed", "feed"},
                                                       {"agreed", "agre"},
                                                       {"bled", "bled"},
                                                       {"motoring", "motor"},
                                                       {"sing", "sing"},
                                                       {"spied", "spi"},
                                                       {"died", "die"},
                                                       {"troubled", "troubl"},
                                                       {"sized", "size"},
                                                       {"hopping", "hop"},
                                                       {"falling", "fall"},
                                                       {"hissing", "hiss"},
                                                       {"failing", "fail"},
                                                       {"filing", "file"},
                                                       {"happy", "happi"},
                                                       {"skies", "sky"},
                                                       {"enjoy", "enjoy"},
                                                       {"fly", "fli"},
                                                       {"rational", "ration"},
                                                       {"radically", "radic"},
                                                       {"digitizer", "digit"},
                                                       {"sensibiliti", "sensibl"},
                                                       {"callousness", "callous"},
                                                       {"hopefulli", "hope"},
                                                       {"geology", "geolog"},
                                                       {"formative", "form"},
                                                       {"electrical", "electr"},
                                                       {"goodness", "good"},
                                                       {"airliner", "airlin"},
                                                       {"replacement", "replac"},
                                                       {"dependent", "depend"},
                                                       {"adoption", "adopt"},
                                                       {"union", "union"},
                                                       {"region", "region"},
                                                       {"probate", "probat"},
                                                       {"rate", "rate"},
                                                       {"cease", "ceas"},
                                                       {"controll", "control"},
                                                       {"roll", "roll"},
                                                       {"news", "news"},
                                                       {"exceed", "exceed"},
                                                       {"yyyy", "yyyi"},
                                                       {"syzygy", "syzygi"},
                                                       {"at", "at"},
                                                       {"ated", "ate"},
                                                       {"ing", "ing"},
                                                       {"oed", "o"},
                                                       {"1990s", "1990"},
                                                       {"generalizations", "gener"}};
  for (const auto& [word, stem] : stems) CHECK(porter_stem(word) == stem);
}
