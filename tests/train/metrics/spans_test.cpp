#include "train/metrics/spans.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "io/temporary_folder.h"

using namespace rapt;
using Tags = std::vector<std::string>;

static Tags tags(const std::string& text) {
  std::istringstream words(text);
  Tags all;
  for (std::string word; words >> word;) all.push_back(word);
  return all;
}

// "NP 0-2, VP 3-3": types with their first and last words.
static std::string spans(const std::string& text, SpanRules rules = SpanRules::kConlleval) {
  const Tags all = tags(text);
  std::string out;
  for (const TagSpan& span : spans_of(all, rules)) {
    out += (out.empty() ? "" : ", ") + std::string(span.type) + ' ' + std::to_string(span.begin) + '-' +
           std::to_string(span.end - 1);
  }
  return out;
}

TEST_CASE("IOB1, IOB2 and IOE: starts and ends of spans") {
  for (const SpanRules rules : {SpanRules::kConlleval, SpanRules::kSeqeval}) {
    CHECK(spans("B-NP I-NP O B-VP", rules) == "NP 0-1, VP 3-3");                    // IOB2
    CHECK(spans("I-NP I-NP B-NP I-NP O I-NP", rules) == "NP 0-1, NP 2-3, NP 5-5");  // IOB1
    CHECK(spans("I-NP I-VP I-VP", rules) == "NP 0-0, VP 1-2");
    CHECK(spans("B-NP I-VP", rules) == "NP 0-0, VP 1-1");
    CHECK(spans("I-NP E-NP I-NP E-NP E-NP", rules) == "NP 0-1, NP 2-3, NP 4-4");  // IOE2
    CHECK(spans("B-creative-work I-creative-work", rules) == "creative-work 0-1");
    CHECK(spans("O O", rules).empty());
    CHECK(spans("", rules).empty());
    CHECK(spans("B I O B", rules) == " 0-1,  3-3");
  }
}

TEST_CASE("seqeval supports one-word spans (S); conlleval does not") {
  CHECK(spans("S-A S-A B-A E-A", SpanRules::kSeqeval) == "A 0-0, A 1-1, A 2-3");
  CHECK(spans("E-A B-A", SpanRules::kSeqeval) == "A 0-0, A 1-1");
  CHECK(spans("S-A S-A", SpanRules::kConlleval) == "A 0-1");
  CHECK(spans("E-A B-A", SpanRules::kConlleval) == "A 0-1");
}

TEST_CASE("a span is correct if its type and both its ends are") {
  SpanScores scores;
  const MatchCounts first = scores.add(tags("B-PER I-PER O B-LOC O B-ORG"), tags("B-PER I-PER O B-ORG O O"));
  CHECK(first.right == 1);
  CHECK(first.gold == 3);
  CHECK(first.found == 2);
  scores.add(tags("B-PER I-PER"), tags("B-PER O"));
  scores.add(tags("O B-LOC"), tags("B-LOC I-LOC"));
  CHECK(scores.overall().right == 1);
  CHECK(scores.overall().gold == 5);
  CHECK(scores.overall().found == 4);
  CHECK(scores.overall().f1() == doctest::Approx(2.0 / 9));
  CHECK(scores.accuracy() == doctest::Approx(5.0 / 10));
  CHECK(scores.by_type().find("PER")->second.f1() == doctest::Approx(2.0 / 4));
  const MetricValues values = scores.values();
  CHECK(metric_value(values, "f1_macro") == doctest::Approx(0.5 / 3));
  CHECK_THROWS_AS(scores.add(tags("O"), tags("O O")), std::invalid_argument);
}

TEST_CASE("spans do not cross sentence ends") {
  SpanScores scores;
  scores.add(tags("B-A"), tags("B-A"));
  scores.add(tags("I-A"), tags("I-A"));
  CHECK(scores.overall().right == 2);
}

TEST_CASE("the report of conlleval.pl's sample, character for character") {
  const std::string folder = shared_data("data/fixtures/metrics/seqeval");
  if (folder.empty()) return;
  SpanScores conlleval, seqeval(SpanRules::kSeqeval);
  std::ifstream in(folder + "/conlleval_sample.txt");
  Tags gold, predicted;
  const auto end_sentence = [&] {
    conlleval.add(gold, predicted);
    seqeval.add(gold, predicted);
    gold.clear();
    predicted.clear();
  };
  for (std::string line; std::getline(in, line);) {
    const Tags cells = tags(line);
    if (cells.empty()) {
      end_sentence();
    } else {
      gold.push_back(cells[cells.size() - 2]);
      predicted.push_back(cells.back());
    }
  }
  end_sentence();
  CHECK(conlleval.report() == read_plainly(folder + "/conlleval_sample.expected.txt"));
  CHECK(seqeval.values() == conlleval.values());  // the sample is IOB
}

// 300 sentences of random tags, some of them changed, and the counts of conlleval.pl of 2004-01-26 and seqeval 1.2.2.
TEST_CASE("random tags are counted as conlleval.pl and seqeval count them") {
  struct Case {
    std::string letters;
    SpanRules rules;
    double gold, found, right;
  };
  const std::vector<Case> cases = {
      {"OBI", SpanRules::kConlleval, 1107, 1101, 736},   {"OBI", SpanRules::kSeqeval, 1107, 1101, 736},
      {"OBIE", SpanRules::kConlleval, 1211, 1174, 763},  {"OBIE", SpanRules::kSeqeval, 1246, 1221, 832},
      {"OBIES", SpanRules::kConlleval, 1098, 1082, 687}, {"OBIES", SpanRules::kSeqeval, 1325, 1312, 971},
  };
  for (const Case& c : cases) {
    CAPTURE(c.letters);
    CAPTURE(static_cast<int>(c.rules));
    std::uint64_t state = 1;
    const auto draw = [&](std::uint64_t bound) {  // Knuth's linear congruential generator
      state = state * 6364136223846793005U + 1442695040888963407U;
      return (state >> 33U) % bound;
    };
    const auto draw_tag = [&] {
      const char letter = c.letters[draw(c.letters.size())];
      return letter == 'O' ? std::string("O") : std::string(1, letter) + '-' + "XY"[draw(2)];
    };
    SpanScores scores(c.rules);
    for (int sentence = 0; sentence < 300; ++sentence) {
      Tags gold, predicted;
      for (std::uint64_t words = 1 + draw(12); words > 0; --words) {
        gold.push_back(draw_tag());
        predicted.push_back(draw(3) != 0 ? gold.back() : draw_tag());
      }
      scores.add(gold, predicted);
    }
    CHECK(scores.overall().gold == c.gold);
    CHECK(scores.overall().found == c.found);
    CHECK(scores.overall().right == c.right);
  }
}
