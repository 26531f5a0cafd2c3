#include "train/tasks/lm_evaluation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>
#include <numbers>

#include "support/small_networks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

constexpr Dim kContext = 4;

TokenStore some_tokens() {
  std::vector<std::int32_t> ids(50);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % kSmallVocabulary);
  return TokenStore::from_ids(std::move(ids), kSmallVocabulary, 50);
}

}  // namespace

TEST_CASE("a text's score is the sum over its tokens; loss, perplexity and bits per byte follow from it") {
  Initializer init(3);
  const LanguageModel model(std::make_unique<Gpt>(small_gpt(), init));
  const LmEvaluation text(some_tokens(), Part::kTrain, kContext, LmOrder::kRandom);
  const LmScore score = score_each(model, text, kContext);
  CHECK(score.tokens == 49);
  REQUIRE(score.each.size() == 49);
  double sum = 0;
  for (const float p : score.each) sum += static_cast<double>(p);
  CHECK(score.log_probability == sum);
  CHECK(score.loss() == doctest::Approx(-sum / 49));
  CHECK(score_text(model, text, kContext).each.empty());

  const Evaluation evaluation = evaluate_language_model(model, text, kContext, 2.5);
  const std::map<std::string, double> metrics(evaluation.metrics.begin(), evaluation.metrics.end());
  CHECK(evaluation.targets == 49);
  CHECK(evaluation.share == 1);
  CHECK(evaluation.loss == score.loss());
  CHECK(evaluation.score == -score.loss());
  CHECK(metrics.at("perplexity") == doctest::Approx(std::exp(-sum / 49)));
  CHECK(metrics.at("bits_per_byte") == doctest::Approx(-sum / (std::numbers::ln2 * 2.5 * 49)));
  CHECK(evaluate_language_model(model, text, kContext, 0).metrics.size() == 1);
}

TEST_CASE("a validation of some tokens reads a part of the text, and says how large it is") {
  Initializer init(3);
  const LanguageModel model(std::make_unique<Gpt>(small_gpt(), init));
  const LmEvaluation text(some_tokens(), Part::kTrain, kContext, LmOrder::kRandom);
  const Evaluation part = evaluate_language_model(model, text, kContext, 0, 12);
  CHECK(part.targets < 49);
  CHECK(part.share == doctest::Approx(static_cast<double>(part.targets) / 49).epsilon(0.3));
}

TEST_CASE("a text without predictions has no loss, and a perfect one has a loss of 0, not of -0") {
  CHECK(std::isnan(LmScore().loss()));
  CHECK(std::isnan(LmScore().perplexity()));
  CHECK_FALSE(std::signbit(LmScore{.tokens = 3}.loss()));
  CHECK(LmScore{.tokens = 3}.perplexity() == 1);
  CHECK(std::isnan(bits_per_byte(1, 1, 0)));
}
