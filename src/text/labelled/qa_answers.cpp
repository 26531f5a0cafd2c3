#include "text/labelled/qa_answers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>

#include "tensor/error.h"

namespace rapt {
namespace {

struct Span {
  std::size_t window, first, last;  // tokens of the context
  double start_score, end_score;
};

// Sorting needs an order, and NaN has none.
void require_finite(std::span<const float> scores) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i])) {
      throw not_finite("qa: a model's scores", static_cast<double>(scores[i]), "token " + std::to_string(i));
    }
  }
}

// Indices of the n highest scores, highest first; of equal ones the first.
std::vector<std::size_t> best_indices(std::span<const float> scores, std::size_t n) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto higher = [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  };
  n = std::min(n, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), higher);
  order.resize(n);
  return order;
}

void add_spans(std::size_t index, const QaWindow& window, const QaScores& scores, const QaSearchOptions& options,
               std::vector<Span>& spans) {
  const std::vector<std::size_t> ends = best_indices(scores.end, options.n_best);
  const auto inside = [&](std::size_t token) { return token >= window.offset && token < window.offset + window.count; };
  for (const std::size_t start : best_indices(scores.start, options.n_best)) {
    if (!inside(start) || !window.most_context[start - window.offset]) continue;
    for (const std::size_t end : ends) {
      if (!inside(end) || end < start || end - start + 1 > options.max_answer_tokens) continue;
      spans.push_back({index, window.first + start - window.offset, window.first + end - window.offset,
                       static_cast<double>(scores.start[start]), static_cast<double>(scores.end[end])});
    }
  }
}

void add_probabilities(std::vector<QaCandidate>& candidates) {
  if (candidates.empty()) return;
  double highest = candidates.front().score(), sum = 0;
  for (const QaCandidate& candidate : candidates) highest = std::max(highest, candidate.score());
  for (QaCandidate& candidate : candidates) sum += candidate.probability = std::exp(candidate.score() - highest);
  for (QaCandidate& candidate : candidates) candidate.probability /= sum;
}

}  // namespace

QaPrediction find_answer(std::string_view context, const PlacedTokens& tokens, std::span<const QaWindow> windows,
                         std::span<const QaScores> scores, const QaSearchOptions& options) {
  if (windows.empty() || windows.size() != scores.size()) {
    throw std::invalid_argument("find_answer: there must be scores for each window, got " +
                                std::to_string(scores.size()) + " for " + std::to_string(windows.size()));
  }
  std::vector<Span> spans;
  QaCandidate null;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const std::size_t length = windows[w].tokens.size();
    if (length == 0 || scores[w].start.size() != length || scores[w].end.size() != length) {
      throw std::invalid_argument("find_answer: scores must be as many as the window's " + std::to_string(length) +
                                  " tokens, got " + std::to_string(scores[w].start.size()) + " and " +
                                  std::to_string(scores[w].end.size()));
    }
    require_finite(scores[w].start);
    require_finite(scores[w].end);
    add_spans(w, windows[w], scores[w], options, spans);
    const double start = static_cast<double>(scores[w].start[0]), end = static_cast<double>(scores[w].end[0]);
    if (w == 0 || start + end < null.score()) {
      null.start_score = start;
      null.end_score = end;
    }
  }
  std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return a.start_score + a.end_score > b.start_score + b.end_score;
  });

  QaPrediction prediction;
  std::vector<QaCandidate>& candidates = prediction.candidates;
  bool null_given = !options.may_be_unanswerable;
  const auto give_null = [&] {
    candidates.push_back(null);
    null_given = true;
  };
  std::set<std::string_view> seen;
  for (const Span& span : spans) {
    if (candidates.size() >= options.n_best) break;
    // The reference appends "no answer" after all spans before it sorts: of equal scores it is the last.
    if (!null_given && null.score() > span.start_score + span.end_score) {
      give_null();
      if (candidates.size() >= options.n_best) break;
    }
    const std::size_t begin = tokens.bytes[span.first].begin;
    const std::size_t end = std::max(begin, tokens.bytes[span.last].end);
    const std::string_view text = context.substr(begin, end - begin);
    if (text.empty() || !seen.insert(text).second) continue;
    candidates.push_back({std::string(text), begin, end, span.start_score, span.end_score});
  }
  if (!null_given) give_null();
  add_probabilities(candidates);

  const auto best =
      std::find_if(candidates.begin(), candidates.end(), [](const QaCandidate& c) { return !c.text.empty(); });
  if (best == candidates.end()) return prediction;
  prediction.text = best->text;
  if (options.may_be_unanswerable) {
    prediction.null_score_difference = null.score() - best->score();
    if (prediction.null_score_difference > options.null_threshold) prediction.text.clear();
  }
  return prediction;
}

}  // namespace rapt
