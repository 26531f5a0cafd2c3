#include "text/tokenizer/training/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "tensor/parallel.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/training/unigram_seeds.h"
#include "text/utf8.h"

namespace rapt {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr int kEstimates = 2;                             // between two reductions
constexpr double kKept = 0.75;                            // share of the pieces that a reduction keeps
constexpr double kSurplus = 1.1;                          // pieces at the end of the reductions, relative to the result
constexpr double kLeastExpected = 0.5;                    // expected count below which a piece is dropped
constexpr std::size_t kMostBytes = std::size_t{1} << 24;  // of different words; the rarest are not used beyond it
constexpr Dim kBlocks = 16;  // parts of the words that are counted separately: fixed, so that sums are the same

using Words = std::vector<WordCounts::Word>;

struct Piece {
  std::string text;
  double score = 0;       // logarithm of its probability
  bool required = false;  // a character
};

double log_of_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

// Abramowitz and Stegun, 6.3.5 and 6.3.18.
double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  const double y = 1 / (x * x);
  return result + std::log(x) - 0.5 / x - y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y / 240)));
}

// The pieces by their text, to walk over the splits of a word.
class Lattice final {
 public:
  explicit Lattice(const std::vector<Piece>& pieces) : pieces_(pieces), trie_(entries_of(pieces)) {}

  // Adds `count` times the probability that each piece is part of the word.
  void add_expected(std::string_view word, double count, std::vector<double>& expected) {
    begin_.assign(word.size() + 1, kNever);
    behind_.assign(word.size() + 1, kNever);
    begin_[0] = behind_[word.size()] = 0;
    for_each_edge(word, [&](std::size_t at, std::size_t end, std::int32_t piece) {
      begin_[end] = log_of_sum(begin_[end], begin_[at] + score(piece));
    });
    if (begin_[word.size()] == kNever) return;
    for (std::size_t at = word.size(); at-- > 0;) {
      if (begin_[at] == kNever) continue;
      trie_.for_each_match(word.substr(at), [&](std::size_t length, std::int32_t piece) {
        behind_[at] = log_of_sum(behind_[at], behind_[at + length] + score(piece));
      });
    }
    const double whole = begin_[word.size()];
    for_each_edge(word, [&](std::size_t at, std::size_t end, std::int32_t piece) {
      if (behind_[end] == kNever) return;
      expected[static_cast<std::size_t>(piece)] += count * std::exp(begin_[at] + score(piece) + behind_[end] - whole);
    });
  }

  // The most probable split, without the piece `without`; empty if there is none.
  const std::vector<std::int32_t>& best_split(std::string_view word, std::int32_t without = -1) {
    begin_.assign(word.size() + 1, kNever);
    last_.assign(word.size() + 1, {-1, 0});
    begin_[0] = 0;
    for_each_edge(word, [&](std::size_t at, std::size_t end, std::int32_t piece) {
      const double sum = begin_[at] + score(piece);
      if (piece == without || !(sum > begin_[end])) return;
      begin_[end] = sum;
      last_[end] = {piece, at};
    });
    split_.clear();
    if (begin_[word.size()] == kNever) return split_;
    for (std::size_t end = word.size(); end > 0; end = last_[end].second) split_.push_back(last_[end].first);
    return split_;
  }

 private:
  static std::vector<ByteTrie::Entry> entries_of(const std::vector<Piece>& pieces) {
    std::vector<ByteTrie::Entry> entries;
    for (const Piece& piece : pieces) entries.push_back({piece.text, static_cast<std::int32_t>(entries.size())});
    return entries;
  }
  double score(std::int32_t piece) const { return pieces_[static_cast<std::size_t>(piece)].score; }

  // From left to right: every piece that starts where some split can.
  template <typename Visit>
  void for_each_edge(std::string_view word, Visit visit) const {
    for (std::size_t at = 0; at < word.size(); ++at) {
      if (begin_[at] == kNever) continue;
      trie_.for_each_match(word.substr(at),
                           [&](std::size_t length, std::int32_t piece) { visit(at, at + length, piece); });
    }
  }

  const std::vector<Piece>& pieces_;
  ByteTrie trie_;
  std::vector<double> begin_, behind_;  // log-probability of what precedes, and follows, each byte
  std::vector<std::pair<std::int32_t, std::size_t>> last_;
  std::vector<std::int32_t> split_;
};

class UnigramLearner final {
 public:
  UnigramLearner(Words words, std::vector<Piece> pieces) : words_(std::move(words)), pieces_(std::move(pieces)) {}

  // The next sizes are at least `enough`.
  std::vector<Piece> run(std::size_t enough) {
    while (true) {
      for (int i = 0; i < kEstimates; ++i) estimate();
      if (pieces_.size() <= enough) return std::move(pieces_);
      const std::size_t before = pieces_.size();
      reduce(std::max(enough, static_cast<std::size_t>(kKept * static_cast<double>(before))));
      if (pieces_.size() == before) return std::move(pieces_);  // the rest is required
    }
  }

 private:
  // A number for each piece: the sum over all words of what `add` gives, in fixed parts.
  template <typename Add>
  std::vector<double> sum_over_words(Add add) const {
    std::vector<std::vector<double>> parts(kBlocks);
    const auto count = static_cast<Dim>(words_.size());
    parallel_for(
        kBlocks,
        [&](Dim block) {
          std::vector<double>& part = parts[static_cast<std::size_t>(block)];
          part.resize(pieces_.size());
          Lattice lattice(pieces_);
          for (Dim w = count * block / kBlocks; w < count * (block + 1) / kBlocks; ++w) {
            add(lattice, words_[static_cast<std::size_t>(w)], part);
          }
        },
        Schedule::kDynamic);
    std::vector<double> sum(pieces_.size());
    for (const std::vector<double>& part : parts) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
    }
    return sum;
  }

  void estimate() {
    const std::vector<double> expected =
        sum_over_words([](Lattice& lattice, const WordCounts::Word& word, std::vector<double>& part) {
          lattice.add_expected(word.text, static_cast<double>(word.count), part);
        });
    std::vector<Piece> kept;
    std::vector<double> counts;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (expected[i] < kLeastExpected && !pieces_[i].required) continue;
      kept.push_back(std::move(pieces_[i]));
      counts.push_back(std::max(expected[i], kLeastExpected));
    }
    const double whole = digamma(std::accumulate(counts.begin(), counts.end(), 0.0));
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i].score = digamma(counts[i]) - whole;
    pieces_ = std::move(kept);
  }

  // Keeps the characters, and of the other pieces those that the text loses most without.
  void reduce(std::size_t size) {
    const std::vector<double> used =
        sum_over_words([](Lattice& lattice, const WordCounts::Word& word, std::vector<double>& part) {
          for (const std::int32_t piece : lattice.best_split(word.text)) {
            part[static_cast<std::size_t>(piece)] += static_cast<double>(word.count);
          }
        });
    std::vector<std::pair<double, std::size_t>> losses;
    std::vector<bool> keep(pieces_.size());
    std::size_t kept = 0;
    Lattice lattice(pieces_);
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (pieces_[i].required) {
        keep[i] = true;
        ++kept;
        continue;
      }
      double without = 0;
      for (const std::int32_t piece : lattice.best_split(pieces_[i].text, static_cast<std::int32_t>(i))) {
        without += pieces_[static_cast<std::size_t>(piece)].score;
      }
      losses.emplace_back(used[i] * (pieces_[i].score - without), i);
    }
    std::sort(losses.begin(), losses.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& [loss, i] : losses) {
      if (kept >= size) break;
      keep[i] = true;
      ++kept;
    }
    std::vector<Piece> rest;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (keep[i]) rest.push_back(std::move(pieces_[i]));
    }
    pieces_ = std::move(rest);
  }

  Words words_;
  std::vector<Piece> pieces_;
};

// The most frequent characters, the most frequent first.
std::vector<CountedText> frequent_characters(const Words& words, std::size_t most) {
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const WordCounts::Word& word : words) {
    for_each_character(word.text, [&](char32_t, std::string_view c) {
      const auto found = counts.find(c);
      (found == counts.end() ? counts.emplace(c, 0).first : found)->second += word.count;
    });
  }
  std::vector<CountedText> characters;
  for (const auto& [text, count] : counts) characters.push_back({text, count});
  std::stable_sort(characters.begin(), characters.end(),
                   [](const CountedText& a, const CountedText& b) { return a.count > b.count; });
  if (characters.size() > most) characters.resize(most);
  return characters;
}

// The words, or the more frequent ones if there are too many.
Words words_to_learn_from(const WordCounts& counts) {
  Words words = counts.sorted();
  if (counts.text_bytes() <= kMostBytes) return words;
  std::stable_sort(words.begin(), words.end(),
                   [](const WordCounts::Word& a, const WordCounts::Word& b) { return a.count > b.count; });
  std::size_t bytes = 0, kept = 0;
  while (kept < words.size() && bytes < kMostBytes) bytes += words[kept++].text.size();
  words.resize(kept);
  return words;
}

std::vector<Piece> first_pieces(const Words& words, const UnigramLearningOptions& options) {
  std::vector<Piece> pieces;
  double total = 0;
  const auto add = [&](CountedText& found, double weight, bool required) {
    if (options.never.contains(found.text)) return;
    pieces.push_back({std::move(found.text), weight, required});
    total += weight;
  };
  for (CountedText& c : frequent_characters(words, std::min(options.max_characters, options.pieces))) {
    add(c, static_cast<double>(c.count), true);
  }
  for (CountedText& s : frequent_substrings(words, options.longest, options.seeds)) {
    add(s, static_cast<double>(s.count), false);
  }
  for (Piece& piece : pieces) piece.score = std::log(piece.score / total);
  return pieces;
}

}  // namespace

std::vector<UnigramToken> learn_unigram(const WordCounts& counts, const UnigramLearningOptions& options) {
  Words words = words_to_learn_from(counts);
  std::vector<Piece> pieces = first_pieces(words, options);
  const auto enough = static_cast<std::size_t>(kSurplus * static_cast<double>(options.pieces));
  pieces = UnigramLearner(std::move(words), std::move(pieces)).run(enough);
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.score > b.score; });
  std::vector<UnigramToken> tokens;
  std::size_t others = options.pieces;
  for (const Piece& piece : pieces) others -= piece.required && others > 0 ? 1 : 0;
  for (const Piece& piece : pieces) {
    if (!piece.required && others == 0) continue;
    if (!piece.required) --others;
    // In single precision, so that every reader of the file has the same number.
    tokens.push_back({piece.text, static_cast<double>(static_cast<float>(piece.score))});
  }
  return tokens;
}

}  // namespace rapt
