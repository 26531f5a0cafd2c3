#include "text/tokenizer/training/bpe_trainer.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

namespace rapt {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// The symbols of all words as doubly linked lists, and for each pair of adjacent symbols a doubly linked list of its
// positions. A position is that of a pair's left symbol, so it is in at most one list, and both kinds of list are
// stored in arrays.
class Learner {
 public:
  Learner(BpeCorpus corpus, const BpeLearningOptions& options)
      : options_(options), symbols_(std::move(corpus.symbols)), words_(std::move(corpus.words)) {
    learned_.tokens = std::move(corpus.tokens);
    for (std::size_t i = 0; i < learned_.tokens.size(); ++i) {
      ids_.emplace(learned_.tokens[i], static_cast<std::int32_t>(i));
    }
    link_symbols();
    for (std::size_t p = 0; p < pairs_.size(); ++p) offer(static_cast<std::uint32_t>(p));
  }

  LearnedBpe run() {
    while (learned_.tokens.size() < options_.tokens && !heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), ComesLater{this});
      const Candidate top = heap_.back();
      heap_.pop_back();
      if (pairs_[top.pair].count != top.count) {  // counts decreased since it was pushed
        offer(top.pair);
      } else {
        merge(top.pair);
      }
    }
    return std::move(learned_);
  }

 private:
  struct Pair {
    std::int32_t left, right;
    std::uint32_t first = kNone, last = kNone;  // positions
    std::int64_t count = 0;
    bool skipped = false;
    bool touched = false;
  };
  struct Candidate {
    std::int64_t count;
    std::uint32_t pair;
  };

  // For a heap with the next pair to merge on top.
  struct ComesLater {
    const Learner* learner;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      const Pair &p = learner->pairs_[a.pair], &q = learner->pairs_[b.pair];
      if (p.left != q.left) return learner->text(p.left) < learner->text(q.left);
      return p.right != q.right && learner->text(p.right) < learner->text(q.right);
    }
  };
  const std::string& text(std::int32_t token) const { return learned_.tokens[static_cast<std::size_t>(token)]; }

  void link_symbols() {
    const std::size_t n = symbols_.size();
    next_.assign(n, kNone);
    previous_.assign(n, kNone);
    word_of_.assign(n, 0);
    pair_at_.assign(n, kNone);
    next_place_.assign(n, kNone);
    previous_place_.assign(n, kNone);
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const std::uint32_t begin = words_[w].begin, end = begin + words_[w].length;
      for (std::uint32_t i = begin; i < end; ++i) {
        word_of_[i] = w;
        if (i + 1 == end) continue;
        next_[i] = i + 1;
        previous_[i + 1] = i;
        add_place(i);
      }
    }
  }

  std::uint32_t pair_index(std::int32_t left, std::int32_t right) {
    const std::uint64_t key =
        (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
    const auto [found, is_new] = index_.emplace(key, static_cast<std::uint32_t>(pairs_.size()));
    if (is_new) pairs_.push_back({left, right});
    return found->second;
  }

  // Enters the pair of symbol i and the one after it.
  std::uint32_t add_place(std::uint32_t i) {
    const std::uint32_t index = pair_index(symbols_[i], symbols_[next_[i]]);
    Pair& pair = pairs_[index];
    pair.count += words_[word_of_[i]].count;
    pair_at_[i] = index;
    previous_place_[i] = pair.last;
    next_place_[i] = kNone;
    (pair.last == kNone ? pair.first : next_place_[pair.last]) = i;
    pair.last = i;
    return index;
  }

  void remove_place(std::uint32_t i) {
    Pair& pair = pairs_[pair_at_[i]];
    pair.count -= words_[word_of_[i]].count;
    const std::uint32_t before = previous_place_[i], behind = next_place_[i];
    (before == kNone ? pair.first : next_place_[before]) = behind;
    (behind == kNone ? pair.last : previous_place_[behind]) = before;
    pair_at_[i] = kNone;
  }

  void offer(std::uint32_t index) {
    const Pair& pair = pairs_[index];
    if (pair.skipped || pair.count < std::max<std::int64_t>(1, options_.min_frequency)) return;
    heap_.push_back({pair.count, index});
    std::push_heap(heap_.begin(), heap_.end(), ComesLater{this});
  }

  void merge(std::uint32_t index) {
    const std::int32_t left = pairs_[index].left, right = pairs_[index].right;
    const std::string result = text(left) + text(right).substr(options_.continuing_prefix.size());
    if (result.size() > options_.max_token_bytes || options_.never.contains(result)) {
      pairs_[index].skipped = true;
      return;
    }
    const auto [found, is_new] = ids_.emplace(result, static_cast<std::int32_t>(learned_.tokens.size()));
    const std::int32_t merged = found->second;
    if (is_new) learned_.tokens.push_back(result);
    learned_.merges.push_back({left, right, merged});

    places_.clear();
    for (std::uint32_t i = pairs_[index].first; i != kNone; i = next_place_[i]) places_.push_back(i);
    // "aaa" has two positions of (a, a), of which only the left one can be merged.
    if (left == right) std::sort(places_.begin(), places_.end());
    touched_.clear();
    for (const std::uint32_t i : places_) {
      if (pair_at_[i] == index) merge_place(i, merged);
    }
    for (const std::uint32_t p : touched_) {
      pairs_[p].touched = false;
      offer(p);
    }
  }

  void merge_place(std::uint32_t i, std::int32_t merged) {
    const std::uint32_t gone = next_[i], before = previous_[i], behind = next_[gone];
    if (before != kNone) remove_place(before);
    remove_place(i);
    if (behind != kNone) remove_place(gone);
    symbols_[i] = merged;
    next_[i] = behind;
    if (behind != kNone) previous_[behind] = i;
    if (before != kNone) touch(add_place(before));
    if (behind != kNone) touch(add_place(i));
  }

  // A pair whose count may have increased must be pushed again.
  void touch(std::uint32_t index) {
    if (pairs_[index].touched) return;
    pairs_[index].touched = true;
    touched_.push_back(index);
  }

  const BpeLearningOptions& options_;
  LearnedBpe learned_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::vector<std::int32_t> symbols_;
  std::vector<BpeCorpus::Word> words_;
  std::vector<std::uint32_t> next_, previous_, word_of_, pair_at_, next_place_, previous_place_;
  std::vector<Pair> pairs_;
  std::unordered_map<std::uint64_t, std::uint32_t> index_;
  std::vector<Candidate> heap_;
  std::vector<std::uint32_t> places_, touched_;
};

}  // namespace

LearnedBpe learn_bpe(BpeCorpus corpus, const BpeLearningOptions& options) {
  return Learner(std::move(corpus), options).run();
}

}  // namespace rapt
