#include "decode/beam.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "decode/step.h"
#include "tensor/error.h"

namespace rapt {
namespace {

struct Hypothesis {
  std::vector<std::int32_t> tokens;  // new tokens
  std::vector<double> sums = {};     // log-probability up to each of them
  double log_probability = 0;        // of all of them, and of the stop token that ended them
  double score = 0;                  // normalised by length
  bool ended = false;
  std::optional<Kept> kept = {};  // if a stop string ended it
};

struct Candidate {
  std::size_t beam = 0;
  std::int32_t token = 0;
  double log_probability = 0;
};

double log_sum_exp(std::span<const float> x) {
  const float best = *std::ranges::max_element(x);
  double sum = 0;
  for (const float v : x) sum += std::exp(static_cast<double>(v) - static_cast<double>(best));
  return static_cast<double>(best) + std::log(sum);
}

// The `count` best continuations over all unfinished texts, best first; ties by beam, then by token.
std::vector<Candidate> best_candidates(Tensor& logits, const std::vector<Hypothesis>& open,
                                       const std::vector<std::int32_t>& prompt, std::size_t count,
                                       const BeamOptions& options) {
  const double penalty = options.repetition_penalty;
  const auto V = static_cast<std::size_t>(logits.shape()[1]);
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  std::vector<Candidate> heap;  // the best so far, the worst on top
  for (std::size_t beam = 0; beam < open.size(); ++beam) {
    const std::span<float> row = logits.span<float>().subspan(beam * V, V);
    require_scores(
        row, "generate",
        "token " + std::to_string(open[beam].tokens.size() + 1) + " after prompt " + std::to_string(options.number));
    const double norm = log_sum_exp(row);
    for (float& x : row) x = static_cast<float>(static_cast<double>(x) - norm);
    if (penalty != 1) {  // transformers applies the penalty to the log-probabilities here
      std::vector<std::int32_t> history = prompt;
      history.insert(history.end(), open[beam].tokens.begin(), open[beam].tokens.end());
      penalise_repetition(row, history, penalty);
    }
    for (std::size_t token = 0; token < V; ++token) {
      const Candidate c{beam, static_cast<std::int32_t>(token),
                        open[beam].log_probability + static_cast<double>(row[token])};
      if (heap.size() == count && !better(c, heap.front())) continue;
      if (heap.size() == count) {
        std::ranges::pop_heap(heap, better);
        heap.pop_back();
      }
      heap.push_back(c);
      std::ranges::push_heap(heap, better);
    }
  }
  std::ranges::sort_heap(heap, better);
  return heap;
}

// The best `size` finished texts.
class Finished {
 public:
  Finished(std::size_t size, double length_penalty) : size_(size), length_penalty_(length_penalty) {}

  double score(double log_probability, std::size_t length) const {
    return log_probability / std::pow(static_cast<double>(length), length_penalty_);
  }
  void add(Hypothesis h, std::size_t length) {
    h.score = score(h.log_probability, length);
    best_.push_back(std::move(h));
    std::ranges::stable_sort(best_, [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    if (best_.size() > size_) best_.pop_back();
  }
  bool closed_to(double best_open_score) const {
    return best_.size() == size_ && best_.back().score >= best_open_score;
  }
  bool empty() const { return best_.empty(); }
  const Hypothesis& best() const { return best_.front(); }

 private:
  std::size_t size_;
  double length_penalty_;
  std::vector<Hypothesis> best_;
};

Generated result_of(const Hypothesis& h) {
  Generated result{.tokens = h.tokens, .ended = h.ended};
  if (h.kept) {
    result.bytes = h.kept->bytes;
    result.tokens.resize(h.kept->tokens);
  }
  if (!result.tokens.empty()) result.log_probability = h.sums[result.tokens.size() - 1];
  return result;
}

}  // namespace

Generated beam_search(const Gpt& model, const std::vector<std::int32_t>& prompt, const BeamOptions& options) {
  if (prompt.empty()) throw std::invalid_argument("generate: the prompt is empty; it needs at least one token");
  if (options.beams < 1) {
    throw UsageError("generate: --beam must be at least 1, got " + std::to_string(options.beams));
  }
  const auto width = static_cast<std::size_t>(options.beams);
  const auto is_stop = [&](std::int32_t id) {
    return std::ranges::find(options.stop_ids, id) != options.stop_ids.end();
  };
  Finished finished(width, options.length_penalty);
  DecoderState state(model, 1, width);
  std::vector<Hypothesis> open(1);
  Tensor logits = state.advance({prompt});
  for (std::int64_t length = 1; length <= options.max_tokens; ++length) {
    const std::size_t wanted = std::max<std::size_t>(2, 1 + options.stop_ids.size()) * width;
    std::vector<Hypothesis> next;
    std::vector<Dim> from;
    std::size_t rank = 0;
    for (const Candidate& c : best_candidates(logits, open, prompt, wanted, options)) {
      Hypothesis h = open[c.beam];
      h.log_probability = c.log_probability;
      if (is_stop(c.token)) {
        h.ended = true;
        if (rank < width) finished.add(std::move(h), static_cast<std::size_t>(length));
      } else if (next.size() < width) {
        h.tokens.push_back(c.token);
        h.sums.push_back(c.log_probability);
        if (options.stop) h.kept = options.stop(0, h.tokens);
        h.ended = h.kept.has_value();
        if (!h.ended) {
          next.push_back(std::move(h));
          from.push_back(static_cast<Dim>(c.beam));
        } else if (rank < width) {
          finished.add(std::move(h), static_cast<std::size_t>(length));
        }
      }
      ++rank;
    }
    open = std::move(next);
    if (open.empty() || length == options.max_tokens) break;
    const double best_open = finished.score(open[0].log_probability, static_cast<std::size_t>(length));
    if (finished.closed_to(best_open)) break;
    std::vector<std::vector<std::int32_t>> tokens;
    for (const Hypothesis& h : open) tokens.push_back({h.tokens.back()});
    state.reorder(from);
    logits = state.advance(tokens);
  }
  for (Hypothesis& h : open) {
    const std::size_t length = h.tokens.size();
    finished.add(std::move(h), length);
  }
  return result_of(finished.best());
}

}  // namespace rapt
