#include "decode/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <vector>

#include "tensor/error.h"

using namespace rapt;

namespace {

// The tokens that 2,000 draws give.
std::map<std::int32_t, int> draws(const std::vector<float>& logits, const SamplingOptions& options) {
  Rng rng(random_key(5, Purpose::kSampling));
  std::map<std::int32_t, int> counts;
  for (int i = 0; i < 2000; ++i) {
    std::vector<float> copy = logits;
    ++counts[sample_token(copy, options, rng)->id];
  }
  return counts;
}

const std::vector<float> kLogits = {std::log(0.5f), std::log(0.1f), std::log(0.3f), std::log(0.1f)};

}  // namespace

TEST_CASE("without truncation, tokens occur with their probabilities") {
  const auto counts = draws(kLogits, {});
  CHECK(counts.at(0) == doctest::Approx(1000).epsilon(0.1));
  CHECK(counts.at(2) == doctest::Approx(600).epsilon(0.1));
  CHECK(counts.at(1) == doctest::Approx(200).epsilon(0.25));
}

TEST_CASE("temperature sharpens, and 0 is greedy") {
  CHECK(draws(kLogits, {.temperature = 0.25}).at(0) > 1700);
  CHECK(draws(kLogits, {.temperature = 0}).at(0) == 2000);
  CHECK(draws(kLogits, {.greedy = true}).at(0) == 2000);
}

TEST_CASE("top-k, top-p and min-p keep the most probable tokens, ties by id") {
  CHECK(draws(kLogits, {.top_k = 2}).size() == 2);
  CHECK(draws(kLogits, {.top_k = 3}).contains(1));
  CHECK_FALSE(draws(kLogits, {.top_k = 3}).contains(3));
  CHECK(draws(kLogits, {.top_p = 0.5}).size() == 1);
  CHECK(draws(kLogits, {.top_p = 0.55}).size() == 2);
  CHECK(draws(kLogits, {.top_p = 0.01}).size() == 1);
  CHECK(draws(kLogits, {.min_p = 0.5}).size() == 2);
  CHECK(draws(kLogits, {.min_p = 0.19}).size() == 4);
}

TEST_CASE("the log-probability is that of the distribution drawn from") {
  std::vector<float> logits = kLogits;
  Rng rng(random_key(1, Purpose::kSampling));
  const SampledToken token = *sample_token(logits, {.top_k = 1}, rng);
  CHECK(token.id == 0);
  CHECK(token.log_probability == doctest::Approx(0));
  logits = kLogits;
  CHECK(sample_token(logits, {.greedy = true}, rng)->log_probability == doctest::Approx(std::log(0.5)));
}

TEST_CASE("impossible options are rejected with the option's name") {
  CHECK_THROWS_WITH_AS(check(SamplingOptions{.temperature = -1}), "--temperature must be at least 0, got -1",
                       UsageError);
  CHECK_THROWS_WITH_AS(check(SamplingOptions{.top_p = 0}), "--top-p must be above 0 and at most 1, got 0", UsageError);
  CHECK_THROWS_WITH_AS(check(SamplingOptions{.min_p = 1}), "--min-p must be at least 0 and below 1, got 1", UsageError);
}
