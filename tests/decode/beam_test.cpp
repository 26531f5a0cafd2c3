#include "decode/beam.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "decode/gpt_decoder.h"
#include "support/small_networks.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

constexpr std::int32_t kBeamVocabulary = 6, kBeamStop = 2;
constexpr std::size_t kLongest = 4;                  // new tokens
constexpr std::int64_t kEverything = 6 * 6 * 6 * 6;  // beams for which the search leaves nothing out
const std::vector<std::vector<std::int32_t>> kBeamPrompts = {{1}, {3, 5}, {0, 4, 4}};

Gpt small_model() {
  GptConfig c = of_size({kBeamVocabulary, 16, 12, 2, 2}, GptConfig());
  c.init_std = 0.5;
  Initializer init(8);
  return Gpt(c, init);
}

// log P(next token | text) of every token.
std::vector<double> log_probabilities(const Gpt& model, const std::vector<std::int32_t>& text) {
  const Tensor logits = GptDecoder(model, 1).advance({text});
  double sum = 0;
  for (const float x : logits.span<float>()) sum += std::exp(static_cast<double>(x));
  std::vector<double> result;
  for (const float x : logits.span<float>()) result.push_back(static_cast<double>(x) - std::log(sum));
  return result;
}

struct Continuation {
  std::vector<std::int32_t> tokens;  // without the stop token
  double log_probability = 0;        // of these
  double score = -std::numeric_limits<double>::infinity();
  bool ended = false;
};

Generated best_of(const Gpt& model, const std::vector<std::int32_t>& prompt, const BeamOptions& options) {
  GptDecoder decoder(model, 1);
  return beam_search(decoder, {prompt}, options).front().front();
}

// The best and the second best of all continuations.
struct Search {
  const Gpt& model;
  std::vector<std::int32_t> stop_ids;
  double length_penalty = 1;
  Continuation best = {}, second = {};

  void offer(Continuation c, double whole_log_probability, std::size_t length) {
    c.score = whole_log_probability / std::pow(static_cast<double>(length), length_penalty);
    if (c.score > best.score) std::swap(c, best);
    if (c.score > second.score) second = c;
  }
  void visit(const std::vector<std::int32_t>& prompt, const Continuation& c) {
    if (c.tokens.size() == kLongest) return offer(c, c.log_probability, kLongest);
    std::vector<std::int32_t> text = prompt;
    text.insert(text.end(), c.tokens.begin(), c.tokens.end());
    const std::vector<double> next = log_probabilities(model, text);
    for (std::int32_t token = 0; token < kBeamVocabulary; ++token) {
      const double log_probability = c.log_probability + next[static_cast<std::size_t>(token)];
      Continuation longer = c;
      if (std::ranges::find(stop_ids, token) != stop_ids.end()) {
        longer.ended = true;
        offer(longer, log_probability, c.tokens.size() + 1);
      } else {
        longer.tokens.push_back(token);
        longer.log_probability = log_probability;
        visit(prompt, longer);
      }
    }
  }
};

}  // namespace

TEST_CASE("beams enough for everything find the best of all continuations, by stop tokens and length penalty") {
  const Gpt model = small_model();
  for (const std::vector<std::int32_t>& stop_ids : {std::vector<std::int32_t>{}, {kBeamStop}, {kBeamStop, 0}}) {
    CAPTURE(stop_ids.size());
    std::set<std::vector<std::int32_t>> found;
    for (const double length_penalty : {-1.0, 0.0, 0.7, 1.0, 3.0}) {
      CAPTURE(length_penalty);
      for (const auto& prompt : kBeamPrompts) {
        CAPTURE(prompt[0]);
        Search search{model, stop_ids, length_penalty};
        search.visit(prompt, {});
        REQUIRE(search.best.score - search.second.score > 1e-4);  // or rounding would choose
        const Generated ours = best_of(
            model, prompt,
            {.beams = kEverything, .max_tokens = kLongest, .length_penalty = length_penalty, .stop_ids = stop_ids});
        CHECK(ours.tokens == search.best.tokens);
        CHECK(ours.ended == search.best.ended);
        CHECK(ours.log_probability == doctest::Approx(search.best.log_probability).epsilon(1e-5));
        found.insert(ours.tokens);
      }
    }
    CAPTURE(found.size());
    // Where texts can end, it depends on the penalty which is the best; where none can, all are equally long.
    CHECK((stop_ids.empty() ? found.size() == kBeamPrompts.size() : found.size() > kBeamPrompts.size()));
  }
}

TEST_CASE("a higher length penalty never gives a shorter text") {
  const Gpt model = small_model();
  for (const auto& prompt : kBeamPrompts) {
    std::size_t before = 0;
    for (const double length_penalty : {-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 5.0}) {
      const Generated g = best_of(
          model, prompt,
          {.beams = kEverything, .max_tokens = kLongest, .length_penalty = length_penalty, .stop_ids = {kBeamStop}});
      const std::size_t length = g.tokens.size() + (g.ended ? 1 : 0);
      CHECK(length >= before);
      before = length;
    }
  }
}
