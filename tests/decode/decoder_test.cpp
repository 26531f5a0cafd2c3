// Greedy decoding, sampling and beam search with a decoder that is not a GPT: texts with a source, a maximum length and
// no cache. The scores of the next token are a table, which can be searched completely.
#include "decode/decoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "decode/beam.h"
#include "decode/generate.h"
#include "tensor/error.h"
#include "tensor/random.h"

using namespace rapt;
using Tokens = std::vector<std::int32_t>;

namespace {

constexpr std::int32_t kVocabulary = 4, kStop = 3;

// The score of `token` after `text`, including the prompt, for a source.
float score_of(std::int32_t source, const Tokens& text, std::int32_t token) {
  std::uint64_t place = text.size();
  for (const std::int32_t id : text) place = place * 5 + static_cast<std::uint64_t>(id) + 1;
  Rng rng(
      random_key(static_cast<std::uint64_t>(source), Purpose::kText, place * 8 + static_cast<std::uint64_t>(token)));
  return static_cast<float>(3 * rng.uniform());
}

class TableDecoder final : public Decoder {
 public:
  explicit TableDecoder(const Tokens& sources, std::optional<Dim> longest = std::nullopt) : longest_(longest) {
    for (const std::int32_t source : sources) texts_.push_back({source, {}});
  }

  Dim vocabulary() const override { return kVocabulary; }
  std::optional<Dim> longest() const override { return longest_; }
  std::size_t sequences() const override { return texts_.size(); }

  Tensor advance(const TokenLists& tokens) override {
    REQUIRE(tokens.size() == texts_.size());
    Tensor scores = Tensor::empty({static_cast<Dim>(texts_.size()), kVocabulary});
    for (std::size_t b = 0; b < texts_.size(); ++b) {
      auto& [source, text] = texts_[b];
      REQUIRE_FALSE(tokens[b].empty());
      text.insert(text.end(), tokens[b].begin(), tokens[b].end());
      REQUIRE((!longest_ || static_cast<Dim>(text.size()) <= *longest_));
      for (std::int32_t v = 0; v < kVocabulary; ++v) {
        scores.data<float>()[static_cast<Dim>(b) * kVocabulary + v] = score_of(source, text, v);
      }
    }
    return scores;
  }

  void reorder(std::span<const Dim> from) override {
    std::vector<std::pair<std::int32_t, Tokens>> texts;
    for (const Dim source : from) texts.push_back(texts_[static_cast<std::size_t>(source)]);
    texts_ = std::move(texts);
  }

 private:
  std::vector<std::pair<std::int32_t, Tokens>> texts_;  // each with its source
  std::optional<Dim> longest_;
};

struct Text {
  Tokens tokens;
  double log_probability = 0, score = 0;
  bool ended = false;
};

// All texts of at most `most` new tokens, ended by the stop token or truncated, best score first.
void add_texts(std::int32_t source, const Tokens& prompt, const Text& begun, std::size_t most, double length_penalty,
               std::vector<Text>& all) {
  Tokens text = prompt;
  text.insert(text.end(), begun.tokens.begin(), begun.tokens.end());
  double sum = 0;
  for (std::int32_t v = 0; v < kVocabulary; ++v) sum += std::exp(static_cast<double>(score_of(source, text, v)));
  for (std::int32_t v = 0; v < kVocabulary; ++v) {
    Text next = begun;
    next.log_probability += static_cast<double>(score_of(source, text, v)) - std::log(sum);
    const auto length = static_cast<double>(begun.tokens.size() + 1);  // the stop token counts
    next.score = next.log_probability / std::pow(length, length_penalty);
    next.ended = v == kStop;
    if (!next.ended) next.tokens.push_back(v);
    if (next.ended || next.tokens.size() == most) {
      all.push_back(next);
    } else {
      add_texts(source, prompt, next, most, length_penalty, all);
    }
  }
}

std::vector<Text> all_texts(std::int32_t source, const Tokens& prompt, std::size_t most, double length_penalty) {
  std::vector<Text> all;
  add_texts(source, prompt, {}, most, length_penalty, all);
  std::ranges::sort(all, [](const Text& a, const Text& b) { return a.score > b.score; });
  return all;
}

}  // namespace

TEST_CASE("beams enough for all texts find the best ones, with every length penalty, for each source") {
  const TokenLists prompts = {{0}, {1, 2}};
  for (const double length_penalty : {0.0, 1.0, 2.5, -1.0}) {
    CAPTURE(length_penalty);
    TableDecoder decoder({7, 8});
    const auto found =
        beam_search(decoder, prompts,
                    {.beams = 64, .max_tokens = 3, .length_penalty = length_penalty, .stop_ids = {kStop}, .best = 5});
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      const std::vector<Text> all = all_texts(static_cast<std::int32_t>(7 + p), prompts[p], 3, length_penalty);
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

TEST_CASE("a few beams of several sources at once are those of each source alone") {
  const Tokens sources = {1, 2, 3, 4, 5};
  const TokenLists prompts = {{0}, {0}, {1, 1}, {2}, {0, 1, 2}};
  const BeamOptions options{.beams = 3, .max_tokens = 9, .length_penalty = 0.6, .stop_ids = {kStop}, .best = 3};
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

TEST_CASE("the stop rule and messages count prompts from the first one's number") {
  std::vector<std::size_t> asked;
  BeamOptions options{.beams = 1, .max_tokens = 1, .first_prompt = 5};
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
                       "generate: the number of texts per prompt must be from 1 to the number of beams, 2, got 3",
                       UsageError);
}
