#include "train/metrics/text_metric.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "io/temporary_folder.h"
#include "tensor/error.h"
#include "train/metrics/bleu.h"
#include "train/metrics/text_tokenization.h"

using namespace rapt;

using Texts = std::vector<std::string>;

namespace {

// Difficult texts: numbers, punctuation, Greek with final sigmas, empty lines, a moved phrase.
const Texts kSaid = {"The  lamp was lit at 5.30 p.m., before the fog came.",
                     "ΟΔΟΣ naïve – «ja»!",
                     "a b",
                     "",
                     "Nothing here matches x y z.",
                     "the ships sailed north at dawn while the keeper slept"};
const std::vector<Texts> kReferences = {
    {"The lamp was lit at 5:30 p.m. before fog came.", "They lit the lamp at 5.30 p.m., before the fog came in."},
    {"οδος naïve - «Ja»!", "Οδός naive!"},
    {"a b", "a b c"},
    {"empty?", ""},
    {"", "something"},
    {"at dawn the ships sailed north while the keeper slept",
     "at dawn, while the keeper slept, the ships sailed north"}};

std::vector<Texts> first_references() {
  std::vector<Texts> first;
  for (const Texts& references : kReferences) first.push_back({references[0]});
  return first;
}

double corpus_score(const char* metric, const TextMetricOptions& options, const std::vector<Texts>& references) {
  const auto metrics = make_text_metrics(metric, options);
  return TextScores(metrics, kSaid, references).values()[0].second;
}

struct Case {
  const char* metric;
  TextMetricOptions options;
  double one, two;  // what sacreBLEU 2.6.0 says with one and two references
  const char* settings;
};

}  // namespace

TEST_CASE("scores of a corpus are sacreBLEU's") {
  const Case cases[] = {
      {"bleu", {}, 38.0750088431974, 59.918944567405646, "case:mixed|eff:no|tok:13a|smooth:exp"},
      {"bleu", {.lowercase = true}, 39.85425921927833, 62.17622907852719, "case:lc|eff:no|tok:13a|smooth:exp"},
      {"bleu", {.tokenize = "intl"}, 37.00158865485425, 57.9172710872064, "case:mixed|eff:no|tok:intl|smooth:exp"},
      {"bleu",
       {.lowercase = true, .tokenize = "intl"},
       42.83399831106561,
       63.52507004386929,
       "case:lc|eff:no|tok:intl|smooth:exp"},
      {"bleu", {.tokenize = "char"}, 64.7109188569433, 76.40985581960638, "case:mixed|eff:no|tok:char|smooth:exp"},
      {"bleu", {.tokenize = "none"}, 37.09298787347961, 53.574147117892956, "case:mixed|eff:no|tok:none|smooth:exp"},
      {"chrf", {}, 72.05059876242379, 68.47264822068999, "case:mixed|eff:yes|nc:6|nw:0|space:no"},
      {"chrf", {.lowercase = true}, 77.81150959729766, 73.72199831114573, "case:lc|eff:yes|nc:6|nw:0|space:no"},
      {"chrf++", {}, 70.10483417846719, 66.81489454099139, "case:mixed|eff:yes|nc:6|nw:2|space:no"},
      {"chrf++", {.lowercase = true}, 76.1989100532452, 73.16701696719579, "case:lc|eff:yes|nc:6|nw:2|space:no"},
      {"ter", {}, 44.44444444444444, 40.0, "case:lc|tok:tercom|norm:no|punct:yes|asian:no"},
      {"ter",
       {.ter_case_sensitive = true},
       51.85185185185185,
       47.27272727272727,
       "case:mixed|tok:tercom|norm:no|punct:yes|asian:no"},
      {"ter",
       {.ter_normalize = true},
       45.714285714285715,
       33.80281690140845,
       "case:lc|tok:tercom|norm:yes|punct:yes|asian:no"},
      {"ter",
       {.ter_punctuation = false},
       37.03703703703704,
       32.72727272727273,
       "case:lc|tok:tercom|norm:no|punct:no|asian:no"},
      {"ter",
       {.ter_normalize = true, .ter_punctuation = false, .ter_asian = true},
       41.37931034482759,
       37.93103448275862,
       "case:lc|tok:tercom|norm:yes|punct:no|asian:yes"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.settings);
    CHECK(corpus_score(c.metric, c.options, first_references()) == doctest::Approx(c.one).epsilon(1e-12));
    CHECK(corpus_score(c.metric, c.options, kReferences) == doctest::Approx(c.two).epsilon(1e-12));
    CHECK(make_text_metric(c.metric, c.options)->settings() == c.settings);
  }
}

TEST_CASE("a smoothed BLEU has the precisions and the signature of its method") {
  const auto middle = [](const TextMetricOptions& options) {
    const auto metrics = make_text_metrics("bleu", options);
    const std::vector<Texts> references = first_references();
    return TextScores(metrics, std::span(kSaid).subspan(1, 4), std::span(references).subspan(1, 4)).values()[0].second;
  };
  CHECK(middle({.smooth = "floor"}) == doctest::Approx(4.8230804741328726).epsilon(1e-12));
  CHECK(middle({.smooth = "add-k"}) == doctest::Approx(16.58097402489092).epsilon(1e-12));
  CHECK(middle({.smooth = "add-k", .smooth_value = 2}) == doctest::Approx(23.961829057131983).epsilon(1e-12));
  CHECK(middle({.smooth = "none"}) == 0);
  CHECK(make_text_metric("bleu", {.smooth = "floor"})->settings().ends_with("smooth:floor[0.10]"));
  CHECK(make_text_metric("bleu", {.smooth = "add-k", .smooth_value = 2})->settings().ends_with("smooth:add-k[2.00]"));
}

TEST_CASE("scores of single segments: with effective order, short texts are not 0") {
  const double effective[] = {46.85909905380382, 12.703318703865365, 100, 0, 0, 57.73502691896257};
  const auto metrics = make_text_metrics("bleu", {.effective_order = true}), plain = make_text_metrics("bleu");
  const std::vector<Texts> references = first_references();
  const TextScores scores(metrics, kSaid, references);
  for (std::size_t i = 0; i < kSaid.size(); ++i) {
    CHECK(scores.segment(i)[0].second == doctest::Approx(effective[i]).epsilon(1e-12));
  }
  CHECK(TextScores(plain, kSaid, references).segment(2)[0].second == 0);
}

TEST_CASE("the parts of a BLEU score are printed as sacreBLEU prints them") {
  const auto metrics = make_text_metrics("bleu");
  const TextScores scores(metrics, kSaid, kReferences);
  CHECK(metrics[0]->details(scores.sums(0)) ==
        "75.0/65.7/56.7/46.2 (BP = 1.000 ratio = 1.176 hyp_len = 40 ref_len = 34)");
  const Bleu bleu({});
  const std::vector<double> short_text = {9, 11, 9, 7, 5, 3, 9, 8, 7, 6};
  CHECK(bleu.details(short_text) == "100.0/87.5/71.4/50.0 (BP = 0.801 ratio = 0.818 hyp_len = 9 ref_len = 11)");
}

TEST_CASE("a signature names the number of references, the settings, and rapt's version") {
  const auto metric = make_text_metric("bleu");
  CHECK(signature(*metric, 2).starts_with("nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:rapt-"));
  const BootstrapOptions bootstrap;
  CHECK(signature(*metric, 1, &bootstrap).starts_with("nrefs:1|bs:1000|seed:1|case:mixed|"));
}

TEST_CASE("a segment that counts twice counts like two equal segments") {
  const auto metrics = make_text_metrics("bleu,chrf,ter,rouge-l");
  const Texts twice = {kSaid[0], kSaid[0], kSaid[5]};
  const std::vector<Texts> references = {kReferences[0], kReferences[0], kReferences[5]};
  const std::vector<std::uint32_t> times = {2, 0, 0, 0, 0, 1};
  CHECK(TextScores(metrics, twice, references).values() == TextScores(metrics, kSaid, kReferences).values(times));
}

TEST_CASE("the table of metrics is part of the list of all metrics; words it does not know are errors") {
  for (const std::string& name : text_metric_names()) {
    CHECK(make_text_metric(name)->name() == name);
    CHECK(metric_info(name).larger_is_better == (name != "ter"));
  }
  CHECK(
      message_of<UsageError>([] { make_text_metrics("bleu,crhf"); }) ==
      "--metrics must be one of bleu, chrf, chrf++, ter, rouge-1, rouge-2, rouge-l, rouge-lsum, got \"crhf\"; did you "
      "mean chrf?");
  CHECK(message_of<UsageError>([] { make_text_metrics("bleu,ter,bleu"); }) ==
        "--metrics: each name must occur once, got bleu twice");
  CHECK(message_of<UsageError>([] { make_text_metrics(""); }).starts_with("--metrics must be one of bleu,"));
  CHECK(message_of<UsageError>([] { make_text_metric("bleu", {.tokenize = "zh"}); }) ==
        "--tokenize must be one of 13a, intl, char, none, got \"zh\"");
  CHECK(message_of<UsageError>([] {
          make_text_metric("bleu", {.smooth = "exponential"});
        }).starts_with("--smooth must be one of exp, floor, add-k, none, got \"exponential\""));
}

static Texts words(std::vector<std::u32string> found) {
  Texts words;
  for (const std::u32string& word : found) words.emplace_back(word.begin(), word.end());
  return words;
}

TEST_CASE("tokenizations separate what their standards separate") {
  const auto split = [](const char32_t* text, BleuTokenization kind) { return words(bleu_words(text, kind)); };
  CHECK(split(U" a(b) 1,000.5, x-1 3-4 &quot;&amp;lt;", BleuTokenization::k13a) ==
        Texts{"a", "(", "b", ")", "1,000.5", ",", "x-1", "3", "-", "4", "\"", "<"});
  CHECK(split(U"it's a.b e.g.. <skipped>", BleuTokenization::k13a) ==
        Texts{"it's", "a", ".", "b", "e", ".", "g", ".", "."});
  CHECK(split(U"1,5 a,b in 1990.", BleuTokenization::kIntl) == Texts{"1,5", "a", ",", "b", "in", "1990."});
  CHECK(split(U"a\u00B1b", BleuTokenization::kIntl).size() == 3);  // a symbol
  CHECK(split(U"a b.", BleuTokenization::kChar) == Texts{"a", "b", "."});
  CHECK(split(U"a\x1C b.\n", BleuTokenization::kNone) == Texts{"a", "b."});

  CHECK(words(ter_words(U"the dog's bone, 1.5!", {.normalize = true})) ==
        Texts{"the", "dog", "'s", "bone", ",", "1.5", "!"});
  CHECK(words(ter_words(U"(a), \u201Cb.", {.punctuation = false})).size() == 2);
  CHECK(ter_words(U"\u6771\u4EAC\u3002a", {.normalize = true, .asian = true}).size() == 4);
  CHECK(ter_words(U"\u6771\u4EAC\u3002a", {.punctuation = false, .asian = true}).size() == 1);
}
