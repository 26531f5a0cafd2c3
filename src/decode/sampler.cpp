#include "decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "tensor/kernels/log_softmax.h"

namespace rapt {
namespace {

void require(bool holds, const char* flag, const char* what, double got) {
  if (holds) return;
  std::ostringstream message;
  message << "--" << flag << " must be " << what << ", got " << got;
  throw UsageError(message.str());
}

SampledToken most_probable(std::span<const float> scores, float top) {
  const float sum = kernels::log_sum_exp(scores.data(), static_cast<Dim>(scores.size()), top);
  const auto best = std::ranges::find(scores, top);
  return {static_cast<std::int32_t>(best - scores.begin()), static_cast<double>(top) - static_cast<double>(sum)};
}

// The tokens that remain after top-k, top-p and min-p, most probable first, with unnormalised probabilities.
struct Candidates {
  std::vector<std::int32_t> ids;
  std::vector<double> weights;
};

Candidates candidates(std::span<const float> logits, const SamplingOptions& options) {
  Candidates c;
  c.ids.resize(logits.size());
  std::iota(c.ids.begin(), c.ids.end(), 0);
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  auto keep = c.ids.size();
  if (options.top_k > 0) keep = std::min(keep, static_cast<std::size_t>(options.top_k));
  if (keep < c.ids.size()) {
    std::ranges::nth_element(c.ids, c.ids.begin() + static_cast<std::ptrdiff_t>(keep), before);
    c.ids.resize(keep);
  }
  std::ranges::sort(c.ids, before);

  const double best = logits[static_cast<std::size_t>(c.ids[0])];
  double total = 0;
  for (const std::int32_t id : c.ids) {
    c.weights.push_back(std::exp((static_cast<double>(logits[static_cast<std::size_t>(id)]) - best)));
    total += c.weights.back();
  }
  if (options.top_p < 1) {
    double sum = 0;
    std::size_t count = 0;
    while (count < keep && sum < options.top_p * total) sum += c.weights[count++];
    keep = std::max<std::size_t>(1, count);
  }
  while (keep > 1 && c.weights[keep - 1] < options.min_p) --keep;  // the best weighs 1
  c.ids.resize(keep);
  c.weights.resize(keep);
  return c;
}

}  // namespace

void check(const SamplingOptions& options) {
  require(options.temperature >= 0, "temperature", "at least 0", options.temperature);
  require(options.top_k >= 0, "top-k", "at least 0", static_cast<double>(options.top_k));
  require(options.top_p > 0 && options.top_p <= 1, "top-p", "above 0 and at most 1", options.top_p);
  require(options.min_p >= 0 && options.min_p < 1, "min-p", "at least 0 and below 1", options.min_p);
}

float require_scores(std::span<const float> scores, const char* subject, const std::function<std::string()>& where) {
  const float most = kernels::largest(scores.data(), static_cast<Dim>(scores.size()));
  if (std::isfinite(most)) return most;
  throw not_finite(std::string(subject) + ": a model's scores", static_cast<double>(most), where());
}

std::optional<SampledToken> sample_token(std::span<float> scores, const SamplingOptions& options, Rng& rng) {
  const float top = kernels::largest(scores.data(), static_cast<Dim>(scores.size()));
  if (std::isinf(top)) return std::nullopt;
  if (options.greedy || options.temperature == 0) return most_probable(scores, top);
  const auto best = static_cast<double>(top);  // low temperatures would overflow
  for (float& x : scores) x = static_cast<float>((static_cast<double>(x) - best) / options.temperature);
  const Candidates c = candidates(scores, options);
  const double total = std::accumulate(c.weights.begin(), c.weights.end(), 0.0);
  const double point = rng.uniform() * total;
  std::size_t chosen = 0;
  for (double sum = c.weights[0]; chosen + 1 < c.ids.size() && sum <= point; sum += c.weights[chosen]) ++chosen;
  return SampledToken{c.ids[chosen], std::log(c.weights[chosen] / total)};
}

}  // namespace rapt
