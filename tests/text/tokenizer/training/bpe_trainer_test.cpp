#include "text/tokenizer/training/bpe_trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "io/shared_data.h"
#include "text/utf8.h"

using namespace rapt;

using Counts = std::map<std::string, std::int64_t>;

// Words of characters, the last one with `end` behind it.
static BpeCorpus corpus_of(const Counts& counts, const std::string& end) {
  BpeCorpus corpus;
  std::map<std::string, std::int32_t> ids;
  for (const auto& [word, count] : counts) {
    const auto begin = static_cast<std::uint32_t>(corpus.symbols.size());
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t length = read_utf8(word.data() + at, word.data() + word.size()).length;
      std::string symbol = word.substr(at, length);
      at += length;
      if (at == word.size()) symbol += end;
      const auto [found, is_new] = ids.emplace(symbol, static_cast<std::int32_t>(corpus.tokens.size()));
      if (is_new) corpus.tokens.push_back(symbol);
      corpus.symbols.push_back(found->second);
    }
    corpus.words.push_back({begin, static_cast<std::uint32_t>(corpus.symbols.size()) - begin, count});
  }
  return corpus;
}

static std::vector<std::string> texts_of(const LearnedBpe& learned) {
  std::vector<std::string> out;
  for (const BpeMerge& merge : learned.merges) {
    out.push_back(learned.tokens[static_cast<std::size_t>(merge.left)] + ' ' +
                  learned.tokens[static_cast<std::size_t>(merge.right)]);
  }
  return out;
}

// The definition: count all pairs again before each merge. Tokens are their texts, so a text that is made twice is one
// token.
static std::vector<std::string> learn_by_definition(const Counts& counts, std::size_t merges, std::int64_t least) {
  std::vector<std::pair<std::vector<std::string>, std::int64_t>> words;
  for (const auto& [word, count] : counts) {
    words.push_back({{}, count});
    for (const char c : word) words.back().first.emplace_back(1, c);
  }
  std::vector<std::string> out;
  while (out.size() < merges) {
    std::map<std::pair<std::string, std::string>, std::int64_t> pairs;
    for (const auto& [symbols, count] : words) {
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) pairs[{symbols[i], symbols[i + 1]}] += count;
    }
    const auto best = std::max_element(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : a.first < b.first;
    });
    if (best == pairs.end() || best->second < least) break;
    const auto [left, right] = best->first;
    out.push_back(left + ' ' + right);
    for (auto& [symbols, count] : words) {
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        if (symbols[i] != left || symbols[i + 1] != right) continue;
        symbols[i] += right;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return out;
}

TEST_CASE("the most frequent pair is merged first, of equals the one with the greater texts") {
  // low 5, lower 2, widest 3, newest 6: the example of the paper's algorithm 1, with ties decided by this rule.
  const auto learned = learn_bpe(corpus_of({{"low", 5}, {"lower", 2}, {"widest", 3}, {"newest", 6}}, "</w>"),
                                 {.tokens = 100, .min_frequency = 4});
  CHECK(texts_of(learned) ==
        std::vector<std::string>{"s t</w>", "e st</w>", "l o", "w est</w>", "n e", "ne west</w>", "lo w</w>"});
}

TEST_CASE("merges equal those of recounting before each merge, with runs of a letter and words that share parts") {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    Counts counts;
    const int letters = 1 + round % 4;
    for (int w = 0; w < 30; ++w) {
      std::string word;
      const auto length = std::uniform_int_distribution<int>(1, 14)(random);
      for (int i = 0; i < length; ++i) {
        word.push_back(static_cast<char>('a' + std::uniform_int_distribution<int>(0, letters - 1)(random)));
      }
      counts[word] += std::uniform_int_distribution<int>(1, 5)(random);
    }
    const auto learned = learn_bpe(corpus_of(counts, ""), {.tokens = 100000, .min_frequency = 2});
    REQUIRE(texts_of(learned) == learn_by_definition(counts, 100000, 2));
  }
}

TEST_CASE("training ends at the number of tokens, at the minimum frequency, or when no pair is left") {
  const Counts counts = {{"abab", 3}, {"abc", 1}};
  CHECK(learn_bpe(corpus_of(counts, ""), {.tokens = 4, .min_frequency = 1}).tokens.size() == 4);
  CHECK(texts_of(learn_bpe(corpus_of(counts, ""), {.tokens = 99, .min_frequency = 3})) ==
        std::vector<std::string>{"a b", "ab ab"});
  CHECK(texts_of(learn_bpe(corpus_of(counts, ""), {.tokens = 99, .min_frequency = 1})) ==
        std::vector<std::string>{"a b", "ab ab", "ab c"});
  CHECK(learn_bpe(BpeCorpus{}, {}).merges.empty());
}

TEST_CASE("a merge that would be too long or is forbidden is skipped") {
  const Counts counts = {{"aaaaaaaa", 5}, {"xyz", 3}};
  const auto learned =
      learn_bpe(corpus_of(counts, ""), {.tokens = 99, .min_frequency = 2, .max_token_bytes = 4, .never = {"yz"}});
  CHECK(texts_of(learned) == std::vector<std::string>{"a a", "aa aa", "x y", "xy z"});
}

TEST_CASE("counts over 32 bits are kept") {
  const std::int64_t many = std::int64_t{5} << 32;
  const auto learned =
      learn_bpe(corpus_of({{"ab", many}, {"cd", many + 1}, {"ef", 7}}, ""), {.tokens = 99, .min_frequency = many + 1});
  CHECK(texts_of(learned) == std::vector<std::string>{"c d"});
}

TEST_CASE("subword-nmt's reference merges are learnt from its corpus") {
  const std::string fixtures = shared_data("data/fixtures/tokenizers");
  if (fixtures.empty()) return;
  Counts counts;
  std::ifstream text(fixtures + "/bpe-train/corpus.en");
  for (std::string word; text >> word;) ++counts[word];
  const auto learned = texts_of(learn_bpe(corpus_of(counts, "</w>"), {.tokens = 1 << 20}));
  std::ifstream reference(fixtures + "/subword-nmt/bpe.ref");
  std::string line;
  std::getline(reference, line);  // the version
  std::size_t n = 0;
  for (; std::getline(reference, line); ++n) {
    CAPTURE(n);
    REQUIRE(n < learned.size());
    REQUIRE(learned[n] == line);
  }
  CHECK(n == 1000);
}
