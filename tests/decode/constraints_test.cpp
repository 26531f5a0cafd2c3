#include "decode/constraints.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"

using namespace rapt;

namespace {

// The tokens that remain of eight.
std::vector<std::int32_t> allowed(const Constraints& constraints, const std::vector<std::int32_t>& history,
                                  std::size_t new_tokens = 9, std::int64_t least = 0) {
  std::vector<float> scores(8, 1);
  const std::vector<std::int32_t> stop_ids = {6, 7};
  apply(constraints, scores, history, new_tokens, least, stop_ids);
  std::vector<std::int32_t> left;
  for (std::int32_t id = 0; id < 8; ++id) {
    if (std::isfinite(scores[static_cast<std::size_t>(id)])) left.push_back(id);
  }
  return left;
}

const std::vector<std::int32_t> kAll = {0, 1, 2, 3, 4, 5, 6, 7};

}  // namespace

TEST_CASE("the repetition penalty divides positive scores and multiplies negative ones, once per token") {
  std::vector<float> scores = {2, -2, 4, 1};
  const std::vector<std::int32_t> history = {0, 1, 1, 0};
  penalise_repetition(scores, history, 2);
  CHECK(scores == std::vector<float>{1, -4, 4, 1});
}

TEST_CASE("no sequence of n tokens occurs twice, and the prompt counts") {
  CHECK(allowed({.no_repeat_ngram = 1}, {0, 3, 3}) == std::vector<std::int32_t>{1, 2, 4, 5, 6, 7});
  CHECK(allowed({.no_repeat_ngram = 2}, {1, 2, 4, 1, 3, 1}) == std::vector<std::int32_t>{0, 1, 4, 5, 6, 7});
  CHECK(allowed({.no_repeat_ngram = 2}, {1, 1}) == std::vector<std::int32_t>{0, 2, 3, 4, 5, 6, 7});
  CHECK(allowed({.no_repeat_ngram = 3}, {1, 2, 4, 1, 2, 5, 0, 1, 2}) == std::vector<std::int32_t>{0, 1, 2, 3, 6, 7});
  CHECK(allowed({.no_repeat_ngram = 3}, {1, 2, 4, 2, 1}) == kAll);
  CHECK(allowed({.no_repeat_ngram = 3}, {1, 1}) == kAll);  // shorter than three tokens
  CHECK(allowed({.no_repeat_ngram = 3}, {1, 1, 1}) == std::vector<std::int32_t>{0, 2, 3, 4, 5, 6, 7});
  CHECK(allowed({.no_repeat_ngram = 0}, {1, 1, 1, 1}) == kAll);
}

TEST_CASE("stop tokens wait for the least number of new tokens, and some tokens never occur") {
  CHECK(allowed({}, {0, 1, 2}, 2, 3) == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5});
  CHECK(allowed({}, {0, 1, 2, 3}, 3, 3) == kAll);
  CHECK(allowed({.never = {2, 6}}, {0}) == std::vector<std::int32_t>{0, 1, 3, 4, 5, 7});
}

TEST_CASE("the first token after the start is given, and certain") {
  CHECK(allowed({.first_token = 4}, {0}) == std::vector<std::int32_t>{4});
  CHECK(allowed({.never = {4}, .first_token = 4}, {0}, 0, 5) == std::vector<std::int32_t>{4});
  CHECK(allowed({.first_token = 4}, {0, 4}) == kAll);
}

TEST_CASE("impossible rules are rejected with the option's name") {
  CHECK_THROWS_WITH_AS(check(Constraints{.repetition_penalty = 0}), "--repetition-penalty must be above 0, got 0",
                       UsageError);
  CHECK_THROWS_WITH_AS(check(Constraints{.no_repeat_ngram = -1}), "--no-repeat-ngram must be at least 0, got -1",
                       UsageError);
}
