// Greedy decoding, sampling and beam search with a decoder that is not a network, against complete searches.
#include "decode/decoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "decode/beam.h"
#include "decode/ensemble.h"
#include "decode/generate.h"
#include "support/table_decoder.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;
using Tokens = std::vector<std::int32_t>;

namespace {

struct Text {
  Tokens tokens;
  double log_probability = 0, score = 0;
  bool ended = false;
};

// All texts of at most `most` new tokens, ended by the stop token or truncated, best score first.
struct AllTexts {
  std::int32_t source;
  Tokens prompt;
  std::size_t most;
  Ranking ranking;
  std::vector<Text> found = {};

  void add(const Text& begun, std::vector<float> coverage) {
    Tokens text = prompt;
    text.insert(text.end(), begun.tokens.begin(), begun.tokens.end());
    const auto weights = table_attention(source, text);
    for (std::size_t i = 0; i < weights.size(); ++i) coverage[i] += weights[i];
    double sum = 0;
    for (std::int32_t v = 0; v < kTableVocabulary; ++v)
      sum += std::exp(static_cast<double>(table_score(source, text, v)));
    for (std::int32_t v = 0; v < kTableVocabulary; ++v) {
      Text next = begun;
      next.log_probability += static_cast<double>(table_score(source, text, v)) - std::log(sum);
      next.score = score(next.log_probability, begun.tokens.size() + 1, coverage);  // the stop token counts
      next.ended = v == kTableStop;
      if (!next.ended) next.tokens.push_back(v);
      if (next.ended || next.tokens.size() == most) {
        found.push_back(next);
      } else {
        add(next, coverage);
      }
    }
  }
  double score(double log_probability, std::size_t length, const std::vector<float>& coverage) const {
    const auto n = static_cast<double>(length);
    double result = log_probability;
    result /= ranking.kind == LengthPenalty::kGnmt ? std::pow((5 + n) / 6, ranking.alpha) : std::pow(n, ranking.alpha);
    for (const float a : coverage) result += ranking.beta * std::log(std::min(static_cast<double>(a), 1.0));
    return result;
  }
};

std::vector<Text> all_texts(std::int32_t source, const Tokens& prompt, std::size_t most, const Ranking& ranking) {
  AllTexts all{source, prompt, most, ranking};
  all.add({}, std::vector<float>(kTableSource));
  std::ranges::sort(all.found, [](const Text& a, const Text& b) { return a.score > b.score; });
  return all.found;
}

}  // namespace

TEST_CASE("beams enough for all texts find the best ones, with every length and coverage penalty, for each source") {
  const TokenLists prompts = {{0}, {1, 2}};
  const Ranking rankings[] = {{.alpha = 0},
                              {.alpha = 1},
                              {.alpha = 2.5},
                              {.alpha = -1},
                              {LengthPenalty::kGnmt, 0.6},
                              {LengthPenalty::kGnmt, 3},
                              {LengthPenalty::kGnmt, 0.6, 0.4},
                              {LengthPenalty::kLength, 1, 0.2}};
  std::vector<Tokens> best;
  for (const Ranking& ranking : rankings) {
    CAPTURE(ranking.alpha);
    CAPTURE(ranking.beta);
    TableDecoder decoder({7, 8});
    const auto found = beam_search(decoder, prompts,
                                   {.beams = 64,
                                    .max_tokens = 3,
                                    .length_penalty = ranking.alpha,
                                    .penalty_kind = ranking.kind,
                                    .coverage_penalty = ranking.beta,
                                    .stop_ids = {kTableStop},
                                    .best = 5});
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      const std::vector<Text> all = all_texts(static_cast<std::int32_t>(7 + p), prompts[p], 3, ranking);
      REQUIRE(all.size() == 40);
      REQUIRE(found[p].size() == 5);
      for (std::size_t i = 0; i < 5; ++i) REQUIRE(all[i].score - all[i + 1].score > 1e-4);  // or rounding would choose
      for (std::size_t i = 0; i < 5; ++i) {
        CHECK(found[p][i].tokens == all[i].tokens);
        CHECK(found[p][i].score == doctest::Approx(all[i].score).epsilon(1e-5));
        CHECK(found[p][i].ended == all[i].ended);
      }
    }
  }
}

TEST_CASE("a search ends when it is full, when no text overtakes now, or when none ever can") {
  for (std::int32_t source = 1; source < 30; ++source) {
    CAPTURE(source);
    std::vector<double> scores;
    std::vector<std::size_t> steps;
    for (const EarlyStopping stopping : {EarlyStopping::kYes, EarlyStopping::kNo, EarlyStopping::kNever}) {
      TableDecoder decoder({source});
      BeamOptions options{.beams = 2,
                          .max_tokens = 8,
                          .length_penalty = 1,
                          .early_stopping = stopping,
                          .stop_ids = {kTableStop},
                          .best = 2};
      std::size_t most = 0;
      options.stop = [&](std::size_t, std::span<const std::int32_t> tokens) {
        most = std::max(most, tokens.size());
        return std::nullopt;
      };
      const auto texts = beam_search(decoder, {{0}}, options).front();
      REQUIRE(texts.size() == 2);
      scores.push_back(texts[1].score);
      steps.push_back(most);
    }
    CHECK(steps[0] <= steps[1]);  // each looks at least as far as the one before, and finds nothing worse
    CHECK(steps[1] <= steps[2]);
    CHECK(scores[0] <= scores[1]);
    CHECK(scores[1] <= scores[2]);
  }
}

TEST_CASE("beams and greedy decoding obey the rules, whatever the scores") {
  const TokenLists prompts = {{0}, {0}, {0}, {0}};
  const Constraints constraints{.no_repeat_ngram = 2, .never = {0}, .first_token = 1};
  const std::vector<LengthLimits> limits = {{2, 9}, {3, 4}, {0, 1}, {0, 0}};
  const auto check_text = [&](const Generated& g, std::size_t p) {
    CAPTURE(p);
    const auto length = static_cast<std::int64_t>(g.tokens.size());
    CHECK(length + (g.ended ? 1 : 0) <= limits[p].most);
    if (g.ended) CHECK(length >= limits[p].least);
    CHECK(std::ranges::count(g.tokens, 0) == 0);
    if (length > 0) CHECK(g.tokens[0] == 1);
    for (std::size_t i = 1; i < g.tokens.size(); ++i) {
      for (std::size_t k = 1; k < i; ++k) {
        CHECK_FALSE((g.tokens[k - 1] == g.tokens[i - 1] && g.tokens[k] == g.tokens[i]));
      }
    }
  };
  for (std::int32_t first = 1; first < 40; first += 4) {
    const Tokens sources = {first, first + 1, first + 2, first + 3};
    TableDecoder searched(sources);
    const auto beams =
        beam_search(searched, prompts,
                    {.beams = 3, .constraints = constraints, .limits = limits, .stop_ids = {kTableStop}, .best = 3});
    GenerateOptions options;
    options.constraints = constraints;
    options.limits = limits;
    options.stop_ids = {kTableStop};
    options.sampling.greedy = true;
    TableDecoder greedy(sources);
    const auto texts = generate(greedy, prompts, options);
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      for (const Generated& g : beams[p]) check_text(g, p);
      check_text(texts[p], p);
    }
    CHECK(texts[3].tokens.empty());
    CHECK(beams[3].front().tokens.empty());
  }
}

// With 2-grams of three words, a text cannot go on for ever; without a stop token, it ends unfinished.
TEST_CASE("a text whose rules leave no token ends there") {
  const Constraints constraints{.no_repeat_ngram = 1};
  GenerateOptions options;
  options.constraints = constraints;
  options.sampling.greedy = true;
  TableDecoder greedy({1});
  const Generated text = generate(greedy, {{0}}, options).front();
  CHECK(text.tokens.size() == 3);
  CHECK_FALSE(text.ended);
  TableDecoder searched({1});
  const auto texts = beam_search(searched, {{0}}, {.beams = 2, .constraints = constraints, .best = 2}).front();
  REQUIRE(texts.size() == 2);
  CHECK(texts[0].tokens.size() == 3);
  CHECK_FALSE(texts[0].ended);
  CHECK(texts[0].score >= texts[1].score);
}

TEST_CASE("the samples of a prompt are those of as many equal prompts") {
  GenerateOptions options;
  options.max_tokens = 6;
  options.stop_ids = {kTableStop};
  TableDecoder separate({1, 1, 1, 2, 2, 2});
  const auto expected = generate(separate, {{0}, {0}, {0}, {1, 2}, {1, 2}, {1, 2}}, options);
  options.samples = 3;
  TableDecoder together({1, 2});
  const auto texts = generate(together, {{0}, {1, 2}}, options);
  REQUIRE(texts.size() == 6);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(texts[i].tokens == expected[i].tokens);
    CHECK(texts[i].log_probability == expected[i].log_probability);
  }
  options.numbers = {1};
  TableDecoder second({2});
  CHECK(generate(second, {{1, 2}}, options)[1].tokens == texts[4].tokens);
}

TEST_CASE("each token is aligned with the source token that it attended to most") {
  GenerateOptions options;
  options.max_tokens = 5;
  options.sampling.greedy = true;
  options.alignment = true;
  options.stop_ids = {kTableStop};
  const TokenLists prompts = {{0}, {1, 2}, {2}};
  const auto check_alignment = [&](const Generated& g, std::int32_t source, const Tokens& prompt) {
    REQUIRE(g.alignment.size() == g.tokens.size());
    Tokens text = prompt;
    for (std::size_t i = 0; i < g.tokens.size(); ++i) {
      const auto weights = table_attention(source, text);
      CHECK(g.alignment[i] == std::ranges::max_element(weights) - weights.begin());
      text.push_back(g.tokens[i]);
    }
  };
  TableDecoder greedy({1, 2, 3}), searched({1, 2, 3});
  const auto texts = generate(greedy, prompts, options);
  const auto beams = beam_search(searched, prompts,
                                 {.beams = 3, .max_tokens = 5, .stop_ids = {kTableStop}, .best = 3, .alignment = true});
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    check_alignment(texts[p], static_cast<std::int32_t>(p + 1), prompts[p]);
    for (const Generated& g : beams[p]) check_alignment(g, static_cast<std::int32_t>(p + 1), prompts[p]);
  }
}

TEST_CASE("an ensemble has the mean of its members' probabilities, or of their logarithms, and of their attention") {
  for (const EnsembleMean mean : {EnsembleMean::kProbabilities, EnsembleMean::kLogarithms}) {
    std::vector<std::unique_ptr<Decoder>> members;
    for (const std::int32_t source : {1, 2, 3})
      members.push_back(std::make_unique<TableDecoder>(Tokens{source, source}));
    EnsembleDecoder ensemble(std::move(members), mean);
    REQUIRE(ensemble.keep_attention());
    static_cast<void>(ensemble.advance({{0}, {1}}));
    ensemble.reorder(std::vector<Dim>{1});
    const Tensor scores = ensemble.advance({{2}});
    const Tokens text = {1, 2};
    std::vector<double> expected(kTableVocabulary);
    double total = 0;
    for (std::int32_t v = 0; v < kTableVocabulary; ++v) {
      double& p = expected[static_cast<std::size_t>(v)];
      for (const std::int32_t source : {1, 2, 3}) {
        double sum = 0;
        for (std::int32_t u = 0; u < kTableVocabulary; ++u)
          sum += std::exp(static_cast<double>(table_score(source, text, u)));
        const double log_p = static_cast<double>(table_score(source, text, v)) - std::log(sum);
        p += (mean == EnsembleMean::kProbabilities ? std::exp(log_p) : log_p) / 3;
      }
      if (mean == EnsembleMean::kLogarithms) p = std::exp(p);
      total += p;
    }
    for (std::size_t v = 0; v < expected.size(); ++v) {
      CHECK(scores.data<float>()[v] == doctest::Approx(std::log(expected[v] / total)).epsilon(1e-5));
    }
    const SourceWeights weights = ensemble.attention();
    REQUIRE(weights.of(0).size() == kTableSource);
    for (std::size_t i = 0; i < kTableSource; ++i) {
      float sum = 0;
      for (const std::int32_t source : {1, 2, 3}) sum += table_attention(source, text)[i];
      CHECK(weights.of(0)[i] == doctest::Approx(sum / 3));
    }
  }
}

TEST_CASE("a few beams of several sources at once are those of each source alone") {
  const Tokens sources = {1, 2, 3, 4, 5};
  const TokenLists prompts = {{0}, {0}, {1, 1}, {2}, {0, 1, 2}};
  const BeamOptions options{.beams = 3, .max_tokens = 9, .length_penalty = 0.6, .stop_ids = {kTableStop}, .best = 3};
  TableDecoder decoder(sources);
  const auto together = beam_search(decoder, prompts, options);
  std::size_t lengths = 0;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    TableDecoder own({sources[p]});
    const auto alone = beam_search(own, {prompts[p]}, options).front();
    REQUIRE(together[p].size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(together[p][i].tokens == alone[i].tokens);
      CHECK(together[p][i].score == alone[i].score);
    }
    lengths |= std::size_t{1} << together[p][0].tokens.size();
  }
  CHECK((lengths & (lengths - 1)) != 0);  // they end at different times
}

TEST_CASE("the stop rule and messages have the prompts' numbers") {
  std::vector<std::size_t> asked;
  BeamOptions options{.beams = 1, .max_tokens = 1, .numbers = {5, 6}};
  options.stop = [&](std::size_t prompt, std::span<const std::int32_t>) {
    asked.push_back(prompt);
    return std::nullopt;
  };
  TableDecoder decoder({1, 2});
  static_cast<void>(beam_search(decoder, {{0}, {0}}, options));
  CHECK(std::ranges::count(asked, 5) > 0);
  CHECK(std::ranges::count(asked, 6) > 0);
  CHECK(std::ranges::count_if(asked, [](std::size_t p) { return p != 5 && p != 6; }) == 0);
}

TEST_CASE("no text is longer than the decoder's longest, whatever the wish") {
  const TokenLists prompts = {{0, 1}, {2}};
  GenerateOptions options;
  options.max_tokens = 100;
  options.sampling.greedy = true;
  TableDecoder greedy({1, 2}, 6);
  const auto texts = generate(greedy, prompts, options);
  CHECK(texts[0].tokens.size() == 4);
  CHECK(texts[1].tokens.size() == 5);
  CHECK_FALSE(texts[0].ended);
  TableDecoder searched({1, 2}, 6);
  const auto beams = beam_search(searched, prompts, {.beams = 2, .max_tokens = 100});
  CHECK(beams[0].front().tokens.size() == 4);
  CHECK(beams[1].front().tokens.size() == 5);
}

TEST_CASE("prompts that do not fit the decoder are refused") {
  TableDecoder decoder({1, 2}, 3);
  CHECK_THROWS_WITH_AS(generate(decoder, {{1}}, {}),
                       "generate: each of the decoder's 2 sequences must have a prompt, got 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(generate(decoder, {{1}, {1, 2, 0}}, {}),
                       "generate: prompt 1 must have fewer than 3 tokens, got 3; shorten it", std::invalid_argument);
  CHECK_THROWS_WITH_AS(beam_search(decoder, {{1}, {}}, {}), "generate: prompt 1 is empty; it needs at least one token",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(beam_search(decoder, {{1}, {1}}, {.beams = 2, .best = 3}),
                       "--n-best must be from 1 to the number of beams, 2, got 3", UsageError);
}
