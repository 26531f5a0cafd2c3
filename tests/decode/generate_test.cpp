#include "decode/generate.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "decode/beam.h"
#include "decode/gpt_decoder.h"
#include "support/thread_counts.h"
#include "tensor/error.h"

using namespace rapt;
using namespace rapt::testing;

namespace {

Gpt random_gpt(Dim context = 24) {
  GptConfig c;
  c.vocabulary = 31;
  c.context = context;
  c.width = 16;
  c.layers = 2;
  c.heads = 2;
  c.init_std = 0.4;  // so that the next token is clear
  Initializer init(9);
  return Gpt(c, init);
}

// The greedy continuation without a cache: the whole text is processed again for every token, or the last half of a
// context where the text is longer than the context.
std::vector<std::int32_t> plain_greedy(const Gpt& model, std::vector<std::int32_t> text, int count) {
  const NoGrad no_grad;
  std::vector<std::int32_t> tokens;
  const Dim context = model.config().context;
  for (int i = 0; i < count; ++i) {
    if (static_cast<Dim>(text.size()) > context) text.erase(text.begin(), text.end() - context / 2);
    const auto N = static_cast<Dim>(text.size());
    Context ctx;
    const Tensor logits =
        model.logits(model.states({.input = make_stream(std::vector<Dim>{N}, text)}, ctx)).value().slice(N - 1, N);
    const auto row = logits.span<float>();
    tokens.push_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
    text.push_back(tokens.back());
  }
  return tokens;
}

std::vector<Generated> generated(const Gpt& model, const TokenLists& prompts, const GenerateOptions& options) {
  GptDecoder decoder(model, prompts.size());
  return generate(decoder, prompts, options);
}

Generated best_by_beam(const Gpt& model, const std::vector<std::int32_t>& prompt, const BeamOptions& options) {
  GptDecoder decoder(model, 1);
  return beam_search(decoder, {prompt}, options).front().front();
}

GenerateOptions greedy(std::int64_t count) {
  GenerateOptions options;
  options.max_tokens = count;
  options.sampling.greedy = true;
  return options;
}

/// Ends a text at its `count`-th token and keeps `kept` of them.
StopRule after(std::size_t count, std::size_t kept) {
  return [=](std::size_t, std::span<const std::int32_t> tokens) {
    return tokens.size() == count ? std::optional(Kept{kept, 7}) : std::nullopt;
  };
}

const TokenLists kGptPrompts = {{1, 2, 3}, {4}, {5, 6, 7, 8, 9, 10, 11}};

}  // namespace

TEST_CASE("greedy decoding with a cache equals decoding without one, for many prompts at once") {
  const Gpt model = random_gpt();
  const auto texts = generated(model, kGptPrompts, greedy(12));
  for (std::size_t p = 0; p < kGptPrompts.size(); ++p)
    CHECK(texts[p].tokens == plain_greedy(model, kGptPrompts[p], 12));
}

TEST_CASE("a prompt's text does not depend on the others, sampled or greedy") {
  const Gpt model = random_gpt();
  GenerateOptions options = greedy(10);
  options.sampling = {.temperature = 1.3};
  const auto together = generated(model, {kGptPrompts[0], kGptPrompts[2]}, options);
  const auto first = generated(model, {kGptPrompts[0]}, options);
  CHECK(together[0].tokens == first[0].tokens);
  CHECK(together[0].log_probability == first[0].log_probability);
  CHECK(generated(model, {kGptPrompts[0]}, options)[0].tokens == first[0].tokens);
  options.seed = 2;
  CHECK(generated(model, {kGptPrompts[0]}, options)[0].tokens != first[0].tokens);
}

TEST_CASE("a text ends at a stop token, where the stop rule says, or at the limit") {
  const Gpt model = random_gpt();
  const auto whole = plain_greedy(model, kGptPrompts[0], 8);
  GenerateOptions options = greedy(8);
  options.stop_ids = {whole[3]};
  const Generated stopped = generated(model, {kGptPrompts[0]}, options)[0];
  CHECK(stopped.ended);
  const auto first = std::ranges::find(whole, whole[3]);
  CHECK(stopped.tokens == std::vector<std::int32_t>(whole.begin(), first));
  options = greedy(8);
  options.stop = after(5, 5);
  CHECK(generated(model, {kGptPrompts[0]}, options)[0].tokens.size() == 5);
  CHECK_FALSE(generated(model, {kGptPrompts[0]}, greedy(8))[0].ended);
  CHECK(generated(model, {kGptPrompts[0]}, greedy(0))[0].tokens.empty());
}

TEST_CASE("tokens that a stop rule drops do not count in tokens or log-probability, with and without beams") {
  const Gpt model = random_gpt();
  GenerateOptions options = greedy(8);
  const Generated three = generated(model, {kGptPrompts[0]}, greedy(3))[0];
  options.stop = after(5, 3);
  const Generated kept = generated(model, {kGptPrompts[0]}, options)[0];
  const Generated beam = best_by_beam(model, kGptPrompts[0], {.beams = 1, .max_tokens = 8, .stop = after(5, 3)});
  for (const Generated& g : {kept, beam}) {
    CHECK(g.ended);
    CHECK(g.bytes == 7);
    CHECK(g.tokens == three.tokens);
  }
  CHECK(kept.log_probability == doctest::Approx(three.log_probability));
  const Generated beam_three = best_by_beam(model, kGptPrompts[0], {.beams = 1, .max_tokens = 3});
  CHECK(beam.log_probability == doctest::Approx(beam_three.log_probability));
  options.stop = after(2, 0);
  CHECK(generated(model, {kGptPrompts[0]}, options)[0].tokens.empty());
  CHECK(generated(model, {kGptPrompts[0]}, options)[0].log_probability == 0);
}

// Previously, a stop string cut a beam's text only after the search had continued past it.
TEST_CASE("a beam that a stop rule ends competes like one that a stop token ends") {
  const Gpt model = random_gpt();
  for (const auto& prompt : kGptPrompts) {
    const auto first = best_by_beam(model, prompt, {.beams = 4, .max_tokens = 9}).tokens;
    const std::int32_t stop = first[4];
    const StopRule rule = [&](std::size_t, std::span<const std::int32_t> tokens) {
      return tokens.back() == stop ? std::optional(Kept{tokens.size() - 1, 0}) : std::nullopt;
    };
    const Generated by_token = best_by_beam(model, prompt, {.beams = 4, .max_tokens = 9, .stop_ids = {stop}});
    const Generated by_rule = best_by_beam(model, prompt, {.beams = 4, .max_tokens = 9, .stop = rule});
    CHECK(by_rule.ended == by_token.ended);
    CHECK(by_rule.tokens == by_token.tokens);
    CHECK(by_rule.log_probability == by_token.log_probability);
  }
}

TEST_CASE("texts and prompts that are longer than the context continue from the last half of it") {
  const Gpt model = random_gpt(16);
  CHECK(generated(model, kGptPrompts, greedy(60))[1].tokens.size() == 60);
  const std::vector<std::int32_t> longer(40, 3);
  CHECK(generated(model, {longer}, greedy(4))[0].tokens.size() == 4);
}

TEST_CASE("one beam is greedy, and more beams find nothing less probable") {
  const Gpt model = random_gpt();
  for (const auto& prompt : kGptPrompts) {
    const Generated one = best_by_beam(model, prompt, {.beams = 1, .max_tokens = 9});
    CHECK(one.tokens == plain_greedy(model, prompt, 9));
    CHECK(best_by_beam(model, prompt, {.beams = 5, .max_tokens = 9}).log_probability >= one.log_probability - 1e-9);
  }
}

TEST_CASE("beams of several prompts at once are those of each alone") {
  const Gpt model = random_gpt();
  const BeamOptions options{.beams = 3, .max_tokens = 6, .stop_ids = {2, 5}, .best = 2};
  GptDecoder decoder(model, kGptPrompts.size());
  const auto together = beam_search(decoder, kGptPrompts, options);
  for (std::size_t p = 0; p < kGptPrompts.size(); ++p) {
    GptDecoder own(model, 1);
    const auto alone = beam_search(own, {kGptPrompts[p]}, options).front();
    REQUIRE(together[p].size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(together[p][i].tokens == alone[i].tokens);
      CHECK(together[p][i].score == alone[i].score);
    }
  }
}

// 16 rows is where other products would go to a provider with other sums.
TEST_CASE("the scores of a text have the same bits in any batch, with more beams, and on any number of threads") {
  const Gpt model = random_gpt();
  TokenLists prompts;
  for (std::int32_t i = 0; i < 40; ++i)
    prompts.push_back(std::vector<std::int32_t>(static_cast<std::size_t>(1 + i % 7), i % 31));
  const auto scores = [&](const TokenLists& some) {
    GptDecoder decoder(model, some.size());
    std::vector<std::vector<float>> rows(some.size());
    TokenLists next = some;
    for (int step = 0; step < 3; ++step) {
      const Tensor logits = decoder.advance(next);
      for (std::size_t b = 0; b < some.size(); ++b) {
        const auto row = logits.span<float>().subspan(b * 31, 31);
        rows[b].insert(rows[b].end(), row.begin(), row.end());
        next[b] = {static_cast<std::int32_t>(step)};
      }
    }
    return rows;
  };
  const auto together = on_threads(1, [&] { return scores(prompts); });
  CHECK(on_threads(2, [&] { return scores(prompts); }) == together);
  for (std::size_t p = 0; p < prompts.size(); ++p) CHECK(scores({prompts[p]}).front() == together[p]);

  const auto search = [&](std::int64_t beams) {
    GptDecoder decoder(model, prompts.size());
    return beam_search(decoder, prompts, {.beams = beams, .max_tokens = 4, .stop_ids = {2}, .best = 1});
  };
  const auto few = search(3), many = search(6);
  int equal = 0;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    if (few[p].front().tokens != many[p].front().tokens) continue;
    CHECK(few[p].front().score == many[p].front().score);
    ++equal;
  }
  CHECK(equal > 20);
}

TEST_CASE("impossible prompts are rejected") {
  const Gpt model = random_gpt();
  CHECK_THROWS_WITH_AS(generated(model, {{1}, {}}, greedy(3)),
                       "generate: prompt 1 is empty; it needs at least one token", std::invalid_argument);
  CHECK_THROWS_WITH_AS(generated(model, {{31}}, greedy(3)), "generate: token ids must be below 31, got 31 in prompt 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(best_by_beam(model, {1}, {.beams = 0}), "--beam must be at least 1, got 0", UsageError);
}
