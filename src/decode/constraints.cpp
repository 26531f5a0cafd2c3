#include "decode/constraints.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>

#include "tensor/error.h"

namespace rapt {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

void check(const Constraints& c) {
  if (!(c.repetition_penalty > 0)) {
    std::ostringstream message;
    message << "--repetition-penalty must be above 0, got " << c.repetition_penalty;
    throw UsageError(message.str());
  }
  if (c.no_repeat_ngram < 0) {
    throw UsageError("--no-repeat-ngram must be at least 0, got " + std::to_string(c.no_repeat_ngram));
  }
}

void penalise_repetition(std::span<float> scores, std::span<const std::int32_t> history, double penalty) {
  if (penalty == 1) return;
  std::vector<std::int32_t> seen(history.begin(), history.end());
  std::ranges::sort(seen);
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());  // clang 14 does not support std::ranges::unique
  for (const std::int32_t id : seen) {
    float& x = scores[static_cast<std::size_t>(id)];
    x = static_cast<float>(x < 0 ? x * penalty : x / penalty);
  }
}

// Forbids each token that has followed the last n - 1 tokens before.
static void forbid_repeats(std::span<float> scores, std::span<const std::int32_t> history, std::size_t n) {
  if (n == 0 || history.size() < n) return;
  const auto last = history.last(n - 1);
  for (std::size_t at = 0; at + n <= history.size(); ++at) {
    if (std::ranges::equal(history.subspan(at, n - 1), last)) {
      scores[static_cast<std::size_t>(history[at + n - 1])] = kForbidden;
    }
  }
}

void apply(const Constraints& c, std::span<float> scores, std::span<const std::int32_t> history, std::size_t new_tokens,
           std::int64_t least, std::span<const std::int32_t> stop_ids) {
  const auto forbid = [&](std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids) scores[static_cast<std::size_t>(id)] = kForbidden;
  };
  penalise_repetition(scores, history, c.repetition_penalty);
  forbid_repeats(scores, history, static_cast<std::size_t>(c.no_repeat_ngram));
  forbid(c.never);
  if (static_cast<std::int64_t>(new_tokens) < least) forbid(stop_ids);
  if (c.first_token && history.size() == 1) {
    std::ranges::fill(scores, kForbidden);
    scores[static_cast<std::size_t>(*c.first_token)] = 0;
  }
}

}  // namespace rapt
