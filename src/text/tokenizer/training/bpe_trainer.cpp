#include "text/tokenizer/training/bpe_trainer.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_map>
#include <utility>

namespace rapt {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// Indices of pairs by their two symbols: a hash table of indices into `pairs`, at most half full.
class PairIndex final {
 public:
  template <typename Pairs>
  std::uint32_t find_or_add(Pairs& pairs, std::int32_t left, std::int32_t right) {
    if (slots_.size() < 2 * (pairs.size() + 1)) grow(pairs);
    std::size_t i = place_of(left, right);
    for (; slots_[i] != 0; i = (i + 1) & (slots_.size() - 1)) {
      const auto& pair = pairs[slots_[i] - 1];
      if (pair.left == left && pair.right == right) return slots_[i] - 1;
    }
    pairs.push_back({.left = left, .right = right});
    slots_[i] = static_cast<std::uint32_t>(pairs.size());
    return slots_[i] - 1;
  }

 private:
  std::size_t place_of(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key =
        (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
    return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15u) >> 32) & (slots_.size() - 1);
  }

  template <typename Pairs>
  void grow(const Pairs& pairs) {
    slots_.assign(std::max<std::size_t>(1024, 2 * slots_.size()), 0);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      std::size_t i = place_of(pairs[p].left, pairs[p].right);
      while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = static_cast<std::uint32_t>(p + 1);
    }
  }

  std::vector<std::uint32_t> slots_;  // 1 + an index, or 0
};

// Indices of words, stored as differences in as few bytes as possible: one or two for most, since they ascend.
class WordIndices final {
 public:
  void add(std::uint32_t word) {
    if (!bytes_.empty() && word == last_) return;
    const auto step = static_cast<std::int64_t>(word) - static_cast<std::int64_t>(std::exchange(last_, word));
    auto rest = static_cast<std::uint64_t>(step < 0 ? -2 * step - 1 : 2 * step);
    for (; rest >= 0x80; rest >>= 7) bytes_.push_back(static_cast<std::uint8_t>(rest | 0x80));
    bytes_.push_back(static_cast<std::uint8_t>(rest));
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    std::int64_t word = 0;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      std::uint64_t step = 0;
      int shift = 0;
      for (; (bytes_[i] & 0x80) != 0; ++i, shift += 7) step |= std::uint64_t{bytes_[i] & 0x7Fu} << shift;
      step |= std::uint64_t{bytes_[i]} << shift;
      word += (step & 1) != 0 ? -static_cast<std::int64_t>(step / 2) - 1 : static_cast<std::int64_t>(step / 2);
      visit(static_cast<std::uint32_t>(word));
    }
  }
  /// Frees memory that was reserved ahead.
  void fit() {
    if (bytes_.capacity() > bytes_.size() + bytes_.size() / 4) bytes_.shrink_to_fit();
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint32_t last_ = 0;
};

// The symbols of all words, and for each pair of adjacent symbols the words that contain it, or did before a merge.
// Words are shortened in place.
template <typename Symbol>
class BpeLearner {
 public:
  BpeLearner(BpeCorpus corpus, const BpeLearningOptions& options)
      : options_(options), symbols_(corpus.symbols.begin(), corpus.symbols.end()), words_(std::move(corpus.words)) {
    std::vector<std::int32_t>().swap(corpus.symbols);
    learned_.tokens = std::move(corpus.tokens);
    for (std::size_t i = 0; i < learned_.tokens.size(); ++i) {
      ids_.emplace(learned_.tokens[i], static_cast<std::int32_t>(i));
    }
    count_pairs();
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
    std::int64_t count = 0;
    WordIndices words = {};
    bool skipped = false;
    bool touched = false;
  };
  struct Candidate {
    std::int64_t count;
    std::uint32_t pair;
  };

  // For a heap with the next pair to merge on top.
  struct ComesLater {
    const BpeLearner* learner;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      const Pair &p = learner->pairs_[a.pair], &q = learner->pairs_[b.pair];
      if (p.left != q.left) return learner->text(p.left) < learner->text(q.left);
      return p.right != q.right && learner->text(p.right) < learner->text(q.right);
    }
  };
  const std::string& text(std::int32_t token) const { return learned_.tokens[static_cast<std::size_t>(token)]; }

  // The pairs of a merge with one kind of neighbour, looked up once for each: (neighbour, left) for example.
  class Neighbours {
   public:
    void clear(std::size_t tokens) {
      for (const std::size_t symbol : known_) pair_of_[symbol] = kNone;
      known_.clear();
      pair_of_.resize(tokens, kNone);
    }
    template <typename Find>
    std::uint32_t pair_of(std::int32_t symbol, const Find& find) {
      std::uint32_t& pair = pair_of_[static_cast<std::size_t>(symbol)];
      if (pair == kNone) {
        pair = find();
        known_.push_back(static_cast<std::size_t>(symbol));
      }
      return pair;
    }

   private:
    std::vector<std::uint32_t> pair_of_;
    std::vector<std::size_t> known_;
  };

  void count_pairs() {
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      const Symbol* symbol = symbols_.data() + words_[w].begin;
      for (std::uint32_t i = 0; i + 1 < words_[w].length; ++i) {
        Pair& pair = pairs_[index_.find_or_add(pairs_, symbol[i], symbol[i + 1])];
        pair.count += words_[w].count;
        pair.words.add(w);
      }
    }
    for (Pair& pair : pairs_) pair.words.fit();
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

    for (Neighbours* neighbours : {&before_left_, &before_merged_, &behind_right_, &behind_merged_}) {
      neighbours->clear(learned_.tokens.size());
    }
    touched_.clear();
    const WordIndices words = std::exchange(pairs_[index].words, {});
    words.for_each([&](std::uint32_t w) { merge_in_word(w, index, merged); });
    for (const std::uint32_t p : touched_) {
      Pair& pair = pairs_[p];
      pair.touched = false;
      pair.words.fit();
      offer(p);
    }
  }

  // From the left: "aaa" has two positions of (a, a), of which only the first can be merged.
  void merge_in_word(std::uint32_t w, std::uint32_t merging, std::int32_t merged) {
    const std::int32_t left = pairs_[merging].left, right = pairs_[merging].right;
    BpeCorpus::Word& word = words_[w];
    Symbol* const s = symbols_.data() + word.begin;
    const auto pair = [this](std::int32_t a, std::int32_t b) { return index_.find_or_add(pairs_, a, b); };
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < word.length; ++i) {
      if (s[i] != left || i + 1 == word.length || s[i + 1] != right) {
        s[kept++] = s[i];
        continue;
      }
      ++i;  // at the right symbol
      if (kept > 0) {
        const std::int32_t before = s[kept - 1];
        remove(before_left_.pair_of(before, [&] { return pair(before, left); }), word.count);
        add(before_merged_.pair_of(before, [&] { return pair(before, merged); }), w);
      }
      if (i + 1 < word.length) {
        const std::int32_t behind = s[i + 1];
        remove(behind_right_.pair_of(behind, [&] { return pair(right, behind); }), word.count);
        add(behind_merged_.pair_of(behind, [&] { return pair(merged, behind); }), w);
      }
      remove(merging, word.count);
      s[kept++] = static_cast<Symbol>(merged);
    }
    word.length = kept;
  }

  void remove(std::uint32_t index, std::int64_t count) {
    Pair& pair = pairs_[index];
    pair.count -= count;
    if (pair.count == 0) pair.words = {};  // no word contains it
  }

  // A pair whose count may have increased must be pushed again.
  void add(std::uint32_t index, std::uint32_t word) {
    Pair& pair = pairs_[index];
    pair.count += words_[word].count;
    pair.words.add(word);
    if (pair.touched) return;
    pair.touched = true;
    touched_.push_back(index);
  }

  const BpeLearningOptions& options_;
  LearnedBpe learned_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::vector<Symbol> symbols_;
  std::vector<BpeCorpus::Word> words_;
  std::deque<Pair> pairs_;  // there are millions of them: a vector would hold them twice while it grows
  PairIndex index_;
  std::vector<Candidate> heap_;
  std::vector<std::uint32_t> touched_;
  Neighbours before_left_, before_merged_, behind_right_, behind_merged_;
};

}  // namespace

LearnedBpe learn_bpe(BpeCorpus corpus, const BpeLearningOptions& options) {
  constexpr std::size_t kNarrow = std::size_t{1} << 16;
  if (std::max(options.tokens, corpus.tokens.size()) > kNarrow) {
    return BpeLearner<std::int32_t>(std::move(corpus), options).run();
  }
  return BpeLearner<std::uint16_t>(std::move(corpus), options).run();
}

}  // namespace rapt
