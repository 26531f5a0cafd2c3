#include "decode/beam.h"

#include <algorithm>
#include <cmath>

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
  const std::vector<Hypothesis>& best() const { return best_; }

 private:
  std::size_t size_;
  double length_penalty_;
  std::vector<Hypothesis> best_;
};

// The search for the texts of one prompt.
class Search {
 public:
  /// \param number  of the prompt
  Search(const std::vector<std::int32_t>& prompt, std::size_t number, std::int64_t most, const BeamOptions& options)
      : prompt_(prompt),
        number_(number),
        most_(most),
        options_(options),
        width_(static_cast<std::size_t>(options.beams)),
        finished_(width_, options.length_penalty) {}

  /// Unfinished texts, one sequence of the decoder each.
  const std::vector<Hypothesis>& open() const { return open_; }
  /// For each of open(), the unfinished text before the last step() that it continues.
  const std::vector<std::size_t>& from() const { return from_; }

  /// Takes the scores of the next token of each unfinished text. \param scores  [open, V]; changed by the call
  /// \return  whether the search continues
  bool step(std::span<float> scores);
  /// The best texts, once the search is over.
  std::vector<Generated> results();

 private:
  std::vector<Candidate> best_candidates(std::span<float> scores, std::size_t count) const;
  bool is_stop(std::int32_t id) const { return std::ranges::find(options_.stop_ids, id) != options_.stop_ids.end(); }

  const std::vector<std::int32_t>& prompt_;
  std::size_t number_;
  std::int64_t most_;
  const BeamOptions& options_;
  std::size_t width_;
  Finished finished_;
  std::vector<Hypothesis> open_ = std::vector<Hypothesis>(1);
  std::vector<std::size_t> from_;
  std::int64_t length_ = 0;  // new tokens of the unfinished texts
};

// The `count` best continuations over all unfinished texts, best first; ties by beam, then by token.
std::vector<Candidate> Search::best_candidates(std::span<float> scores, std::size_t count) const {
  const std::size_t V = scores.size() / open_.size();
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  std::vector<Candidate> heap;  // the best so far, the worst on top
  for (std::size_t beam = 0; beam < open_.size(); ++beam) {
    const std::span<float> row = scores.subspan(beam * V, V);
    require_scores(row, "generate",
                   "token " + std::to_string(length_ + 1) + " after prompt " + std::to_string(number_ + 1));
    const double norm = log_sum_exp(row);
    for (float& x : row) x = static_cast<float>(static_cast<double>(x) - norm);
    if (options_.repetition_penalty != 1) {  // transformers applies the penalty to the log-probabilities here
      std::vector<std::int32_t> history = prompt_;
      history.insert(history.end(), open_[beam].tokens.begin(), open_[beam].tokens.end());
      penalise_repetition(row, history, options_.repetition_penalty);
    }
    for (std::size_t token = 0; token < V; ++token) {
      const Candidate c{beam, static_cast<std::int32_t>(token),
                        open_[beam].log_probability + static_cast<double>(row[token])};
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

bool Search::step(std::span<float> scores) {
  std::vector<Hypothesis> next;
  from_.clear();
  std::size_t rank = 0;
  const std::size_t wanted = std::max<std::size_t>(2, 1 + options_.stop_ids.size()) * width_;
  const std::vector<Candidate> candidates = best_candidates(scores, wanted);
  const auto length = static_cast<std::size_t>(++length_);
  for (const Candidate& c : candidates) {
    Hypothesis h = open_[c.beam];
    h.log_probability = c.log_probability;
    if (is_stop(c.token)) {
      h.ended = true;
      if (rank < width_) finished_.add(std::move(h), length);
    } else if (next.size() < width_) {
      h.tokens.push_back(c.token);
      h.sums.push_back(c.log_probability);
      if (options_.stop) h.kept = options_.stop(number_, h.tokens);
      h.ended = h.kept.has_value();
      if (!h.ended) {
        next.push_back(std::move(h));
        from_.push_back(c.beam);
      } else if (rank < width_) {
        finished_.add(std::move(h), length);
      }
    }
    ++rank;
  }
  open_ = std::move(next);
  if (open_.empty() || length_ == most_) return false;
  return !finished_.closed_to(finished_.score(open_[0].log_probability, length));
}

Generated result_of(const Hypothesis& h) {
  Generated result{.tokens = h.tokens, .ended = h.ended, .score = h.score};
  if (h.kept) {
    result.bytes = h.kept->bytes;
    result.tokens.resize(h.kept->tokens);
  }
  if (!result.tokens.empty()) result.log_probability = h.sums[result.tokens.size() - 1];
  return result;
}

std::vector<Generated> Search::results() {
  for (Hypothesis& h : open_) {
    const std::size_t length = h.tokens.size();
    finished_.add(std::move(h), length);
  }
  open_.clear();
  std::vector<Generated> results;
  for (const Hypothesis& h : finished_.best()) {
    if (results.size() < options_.best) results.push_back(result_of(h));
  }
  return results;
}

void check(const BeamOptions& options) {
  if (options.beams < 1) {
    throw UsageError("generate: --beam must be at least 1, got " + std::to_string(options.beams));
  }
  if (options.best < 1 || options.best > static_cast<std::size_t>(options.beams)) {
    throw UsageError("generate: the number of texts per prompt must be from 1 to the number of beams, " +
                     std::to_string(options.beams) + ", got " + std::to_string(options.best));
  }
}

}  // namespace

std::vector<std::vector<Generated>> beam_search(Decoder& decoder, const TokenLists& prompts,
                                                const BeamOptions& options) {
  check(options);
  check_prompts(decoder, prompts);
  std::vector<std::vector<Generated>> results(prompts.size());
  if (options.max_tokens <= 0) {
    for (std::vector<Generated>& texts : results) texts.resize(1);
    return results;
  }
  std::vector<Search> searches;
  std::vector<std::size_t> going;  // the searches with sequences in the decoder, in its order
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    searches.emplace_back(prompts[p], options.first_prompt + p,
                          most_new_tokens(decoder, prompts[p].size(), options.max_tokens), options);
    going.push_back(p);
  }
  TokenLists tokens = prompts;
  while (!going.empty()) {
    Tensor logits = decoder.advance(tokens);  // [sequences, V]
    const auto V = static_cast<std::size_t>(logits.shape()[1]);
    const std::span<float> scores = logits.span<float>();
    std::vector<Dim> from;
    std::vector<std::size_t> left;
    tokens.clear();
    std::size_t first = 0;  // sequence of the search
    for (const std::size_t p : going) {
      Search& search = searches[p];
      const std::size_t count = search.open().size();
      if (search.step(scores.subspan(first * V, count * V))) {
        left.push_back(p);
        for (const std::size_t beam : search.from()) from.push_back(static_cast<Dim>(first + beam));
        for (const Hypothesis& h : search.open()) tokens.push_back({h.tokens.back()});
      } else {
        results[p] = search.results();
      }
      first += count;
    }
    going = std::move(left);
    if (!going.empty()) decoder.reorder(from);
  }
  return results;
}

}  // namespace rapt
