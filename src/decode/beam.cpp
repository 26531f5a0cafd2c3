#include "decode/beam.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "tensor/kernels/log_softmax.h"
#include "tensor/parallel.h"

namespace rapt {
namespace {

struct Hypothesis {
  std::vector<std::int32_t> tokens;  // new tokens
  std::vector<double> sums = {};     // log-probability up to each of them
  double log_probability = 0;        // of all of them, and of the stop token that ended them
  double score = 0;                  // as Ranking
  std::vector<float> coverage = {};  // attention that each source token received
  std::vector<std::int32_t> alignment = {};
  bool ended = false;
  std::optional<Kept> kept = {};  // if a stop string ended it
};

struct Candidate {
  std::size_t beam = 0;
  std::int32_t token = 0;
  double log_probability = 0;
};

bool better(const Candidate& a, const Candidate& b) {
  if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
  return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
}

// The `count` best continuations of one text, in any order.
// \param row  the log-probability of each next token
std::vector<Candidate> best_of_row(std::span<const float> row, std::size_t beam, double log_probability,
                                   std::size_t count) {
  const auto V = static_cast<Dim>(row.size());
  std::vector<float> maxima(static_cast<std::size_t>((V + kernels::kMaximaBlock - 1) / kernels::kMaximaBlock));
  kernels::block_maxima(maxima.data(), row.data(), V);
  std::vector<Candidate> heap;  // the best so far, the worst on top
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    const auto total = [&](float x) { return log_probability + static_cast<double>(x); };
    if (heap.size() == count && total(maxima[block]) <= heap.front().log_probability) continue;
    const auto begin = block * static_cast<std::size_t>(kernels::kMaximaBlock);
    const std::size_t end = std::min(row.size(), begin + static_cast<std::size_t>(kernels::kMaximaBlock));
    for (std::size_t token = begin; token < end; ++token) {
      const Candidate c{beam, static_cast<std::int32_t>(token), total(row[token])};
      if (std::isinf(row[token]) || (heap.size() == count && !better(c, heap.front()))) continue;
      if (heap.size() == count) {
        std::ranges::pop_heap(heap, better);
        heap.pop_back();
      }
      heap.push_back(c);
      std::ranges::push_heap(heap, better);
    }
  }
  return heap;
}

// The best `size` finished texts.
class Finished {
 public:
  explicit Finished(std::size_t size) : size_(size) {}

  void add(Hypothesis h) {
    best_.push_back(std::move(h));
    std::ranges::stable_sort(best_, [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    if (best_.size() > size_) best_.pop_back();
  }
  bool full() const { return best_.size() == size_; }
  bool closed_to(double score) const { return full() && best_.back().score >= score; }
  const std::vector<Hypothesis>& best() const { return best_; }

 private:
  std::size_t size_;
  std::vector<Hypothesis> best_;
};

// The search for the texts of one prompt.
class Search {
 public:
  /// \param number  of the prompt
  Search(const std::vector<std::int32_t>& prompt, std::size_t number, LengthLimits limits, const BeamOptions& options)
      : prompt_(prompt),
        number_(number),
        limits_(limits),
        options_(options),
        ranking_{options.penalty_kind, options.length_penalty, options.coverage_penalty},
        width_(static_cast<std::size_t>(options.beams)),
        finished_(width_) {}

  /// Unfinished texts, one sequence of the decoder each.
  const std::vector<Hypothesis>& open() const { return open_; }
  /// For each of open(), the unfinished text before the last step() that it continues.
  const std::vector<std::size_t>& from() const { return from_; }
  std::string next_token() const {
    return "token " + std::to_string(length_ + 1) + " after prompt " + std::to_string(number_ + 1);
  }

  /// The best continuations of an unfinished text. May run on several threads, for different texts.
  /// \param row  the scores of its next token, the largest of which is `top`; changed by the call
  std::vector<Candidate> candidates(std::size_t beam, std::span<float> row, float top) const;
  /// The attention of each unfinished text to its source when its next token was predicted.
  void attend(std::size_t beam, std::span<const float> weights);
  /// Takes the candidates of all unfinished texts. \return  whether the search continues
  bool step(std::vector<Candidate> candidates);
  /// The best texts, once the search is over.
  std::vector<Generated> results();

 private:
  std::size_t wanted() const { return std::max<std::size_t>(2, 1 + options_.stop_ids.size()) * width_; }
  bool is_stop(std::int32_t id) const { return std::ranges::find(options_.stop_ids, id) != options_.stop_ids.end(); }
  Hypothesis continued(const Candidate& c) const;
  void finish(Hypothesis h);
  bool continues() const;

  const std::vector<std::int32_t>& prompt_;
  std::size_t number_;
  LengthLimits limits_;
  const BeamOptions& options_;
  Ranking ranking_;
  std::size_t width_;
  Finished finished_;
  std::vector<Hypothesis> open_ = std::vector<Hypothesis>(1);
  std::vector<std::size_t> from_;
  std::int64_t length_ = 0;  // new tokens of the unfinished texts
};

std::vector<Candidate> Search::candidates(std::size_t beam, std::span<float> row, float top) const {
  const Hypothesis& h = open_[beam];
  const auto V = static_cast<Dim>(row.size());
  kernels::subtract(row.data(), kernels::log_sum_exp(row.data(), V, top), V);
  std::vector<std::int32_t> history = prompt_;
  history.insert(history.end(), h.tokens.begin(), h.tokens.end());
  // transformers applies its rules to the log-probabilities here.
  apply(options_.constraints, row, history, h.tokens.size(), limits_.least, options_.stop_ids);
  return best_of_row(row, beam, h.log_probability, wanted());
}

void Search::attend(std::size_t beam, std::span<const float> weights) {
  Hypothesis& h = open_[beam];
  if (options_.alignment) {
    h.alignment.push_back(static_cast<std::int32_t>(std::ranges::max_element(weights) - weights.begin()));
  }
  if (options_.coverage_penalty == 0) return;
  h.coverage.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) h.coverage[i] += weights[i];
}

// The text with the candidate's token, unless that is a stop token.
Hypothesis Search::continued(const Candidate& c) const {
  Hypothesis h = open_[c.beam];
  h.log_probability = c.log_probability;
  h.ended = is_stop(c.token);
  if (h.ended) return h;
  h.tokens.push_back(c.token);
  h.sums.push_back(c.log_probability);
  if (options_.stop) h.kept = options_.stop(number_, h.tokens);
  h.ended = h.kept.has_value();
  return h;
}

void Search::finish(Hypothesis h) {
  const auto length = static_cast<std::size_t>(std::max<std::int64_t>(1, length_));
  h.score = ranking_.score(h.log_probability, length, h.coverage);
  finished_.add(std::move(h));
}

bool Search::step(std::vector<Candidate> candidates) {
  if (candidates.empty()) return false;  // the rules leave no token
  std::ranges::sort(candidates, better);
  candidates.resize(std::min(candidates.size(), wanted()));
  ++length_;
  std::vector<Hypothesis> next;
  from_.clear();
  for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
    if (next.size() == width_ && rank >= width_) break;
    Hypothesis h = continued(candidates[rank]);
    if (h.ended || length_ == limits_.most) {
      if (rank < width_) finish(std::move(h));
    } else if (next.size() < width_) {
      next.push_back(std::move(h));
      from_.push_back(candidates[rank].beam);
    }
  }
  open_ = std::move(next);
  return continues();
}

bool Search::continues() const {
  if (open_.empty()) return false;
  if (options_.early_stopping == EarlyStopping::kYes) return !finished_.full();
  const bool longest = options_.early_stopping == EarlyStopping::kNever && ranking_.alpha > 0;
  const auto length = static_cast<std::size_t>(longest ? limits_.most : length_);
  return !finished_.closed_to(ranking_.score(open_[0].log_probability, length));
}

Generated result_of(const Hypothesis& h) {
  Generated result{.tokens = h.tokens, .ended = h.ended, .score = h.score, .alignment = h.alignment};
  if (h.kept) {
    result.bytes = h.kept->bytes;
    result.tokens.resize(h.kept->tokens);
  }
  if (!result.alignment.empty()) result.alignment.resize(result.tokens.size());
  if (!result.tokens.empty()) result.log_probability = h.sums[result.tokens.size() - 1];
  return result;
}

std::vector<Generated> Search::results() {
  if (finished_.best().empty()) {
    for (Hypothesis& h : open_) finish(std::move(h));
    open_.clear();
  }
  std::vector<Generated> results;
  for (const Hypothesis& h : finished_.best()) {
    if (results.size() < options_.best) results.push_back(result_of(h));
  }
  return results;
}

// One step of all searches.
class Step {
 public:
  Step(Decoder& decoder, const BeamOptions& options) : decoder_(decoder) {
    keeps_attention_ = options.alignment || options.coverage_penalty != 0;
    if (keeps_attention_ && !decoder.keep_attention()) {
      if (options.coverage_penalty != 0) {
        throw UsageError("--coverage-penalty requires a model that attends to its source, got one without");
      }
      keeps_attention_ = false;
    }
  }

  /// \param searches  in the order of the decoder's sequences
  /// \return  the candidates of each
  std::vector<std::vector<Candidate>> advance(const std::vector<Search*>& searches, const TokenLists& tokens);

 private:
  Decoder& decoder_;
  bool keeps_attention_ = false;
};

std::vector<std::vector<Candidate>> Step::advance(const std::vector<Search*>& searches, const TokenLists& tokens) {
  struct Row {
    std::size_t search, beam;
  };
  std::vector<Row> rows;
  for (std::size_t s = 0; s < searches.size(); ++s) {
    for (std::size_t beam = 0; beam < searches[s]->open().size(); ++beam) rows.push_back({s, beam});
  }
  Tensor logits = decoder_.advance(tokens);  // [sequences, V]
  const auto V = static_cast<std::size_t>(logits.shape()[1]);
  const std::span<float> scores = logits.span<float>();
  const auto row_of = [&](std::size_t r) { return scores.subspan(r * V, V); };
  std::vector<float> tops;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    tops.push_back(require_scores(row_of(r), "generate", [&] { return searches[rows[r].search]->next_token(); }));
  }
  if (keeps_attention_) {
    const SourceWeights weights = decoder_.attention();
    for (std::size_t r = 0; r < rows.size(); ++r) searches[rows[r].search]->attend(rows[r].beam, weights.of(r));
  }
  std::vector<std::vector<Candidate>> found(rows.size());
  parallel_for(static_cast<Dim>(rows.size()), [&](Dim index) {
    const auto r = static_cast<std::size_t>(index);
    found[r] = searches[rows[r].search]->candidates(rows[r].beam, row_of(r), tops[r]);
  });
  std::vector<std::vector<Candidate>> candidates(searches.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto& all = candidates[rows[r].search];
    all.insert(all.end(), found[r].begin(), found[r].end());
  }
  return candidates;
}

}  // namespace

void check(const BeamOptions& options) {
  if (options.beams < 1) {
    throw UsageError("--beam must be at least 1, got " + std::to_string(options.beams));
  }
  if (options.best < 1 || options.best > static_cast<std::size_t>(options.beams)) {
    throw UsageError("--n-best must be from 1 to the number of beams, " + std::to_string(options.beams) + ", got " +
                     std::to_string(options.best));
  }
  check(options.constraints);
}

std::vector<std::vector<Generated>> beam_search(Decoder& decoder, const TokenLists& prompts,
                                                const BeamOptions& options) {
  check(options);
  check_prompts(decoder, prompts);
  Step step(decoder, options);
  std::vector<std::vector<Generated>> results(prompts.size(), std::vector<Generated>(1));
  std::vector<Search> searches;
  std::vector<std::size_t> going;  // the searches with sequences in the decoder, in its order
  std::vector<Dim> from;
  TokenLists tokens;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const LengthLimits limits = limits_of(decoder, prompts[p], options.limits, p, options.max_tokens);
    searches.emplace_back(prompts[p], options.numbers.empty() ? p : options.numbers[p], limits, options);
    if (limits.most <= 0) continue;
    going.push_back(p);
    from.push_back(static_cast<Dim>(p));
    tokens.push_back(prompts[p]);
  }
  if (going.size() < prompts.size()) decoder.reorder(from);
  while (!going.empty()) {
    std::vector<Search*> active;
    for (const std::size_t p : going) active.push_back(&searches[p]);
    std::vector<std::vector<Candidate>> candidates = step.advance(active, tokens);
    from.clear();
    tokens.clear();
    std::vector<std::size_t> left;
    std::size_t first = 0;  // sequence of the search
    for (std::size_t i = 0; i < going.size(); ++i) {
      Search& search = *active[i];
      const std::size_t count = search.open().size();
      if (search.step(std::move(candidates[i]))) {
        left.push_back(going[i]);
        for (const std::size_t beam : search.from()) from.push_back(static_cast<Dim>(first + beam));
        for (const Hypothesis& h : search.open()) tokens.push_back({h.tokens.back()});
      } else {
        results[going[i]] = search.results();
      }
      first += count;
    }
    going = std::move(left);
    if (!going.empty()) decoder.reorder(from);
  }
  return results;
}

}  // namespace rapt
