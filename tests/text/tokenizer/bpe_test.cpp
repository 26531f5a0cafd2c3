#include "text/tokenizer/bpe.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace rapt;
using Symbols = std::vector<std::int32_t>;

// The definition: while any pair is in the list, merge the first pair in the list, leftmost occurrence.
static Symbols merge_by_definition(Symbols symbols, const std::vector<BpeMerge>& merges) {
  while (true) {
    std::size_t best_rank = merges.size(), best_place = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == symbols[i] && merges[rank].right == symbols[i + 1]) {
          best_rank = rank;
          best_place = i;
        }
      }
    }
    if (best_rank == merges.size()) return symbols;
    symbols[best_place] = merges[best_rank].result;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_place) + 1);
  }
}

static Symbols merged(const std::vector<BpeMerge>& merges, Symbols symbols) {
  BpeWorkspace workspace;
  BpeMerges(merges).apply(symbols, workspace);
  return symbols;
}

TEST_CASE("merges are made in the order of the list, of equal ones the leftmost first") {
  const std::vector<BpeMerge> merges = {{0, 0, 2}, {2, 1, 3}, {2, 2, 4}};
  CHECK(merged(merges, {0, 0, 0, 1}) == Symbols{2, 0, 1});
  CHECK(merged(merges, {0, 0, 1}) == Symbols{3});
  CHECK(merged(merges, {0, 0, 0, 0}) == Symbols{4});
  CHECK(merged(merges, {1}) == Symbols{1});
  CHECK(merged(merges, {}) == Symbols{});
  CHECK(merged({}, {0, 0}) == Symbols{0, 0});
}

TEST_CASE("of two merges of the same pair the later one counts") {
  CHECK(merged({{0, 1, 2}, {1, 0, 3}, {0, 1, 4}}, {0, 1, 0}) == Symbols{0, 3});
}

TEST_CASE("scanning and the heap agree with the definition, for short and long words") {
  std::mt19937 random(3);
  const auto pick = [&random](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  for (int round = 0; round < 400; ++round) {
    std::vector<BpeMerge> merges;
    std::int32_t symbols = 3;
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    for (int m = 0; m < 25; ++m) {
      const std::int32_t left = pick(symbols), right = pick(symbols);
      if (pairs.emplace(left, right).second) merges.push_back({left, right, symbols++});
    }
    Symbols word;
    const int length = round % 2 == 0 ? 1 + pick(48) : 49 + pick(150);
    for (int i = 0; i < length; ++i) word.push_back(pick(3));
    CAPTURE(word);
    REQUIRE(merged(merges, word) == merge_by_definition(word, merges));
  }
}

TEST_CASE("a word of a million equal symbols merges into a few large ones") {
  std::vector<BpeMerge> merges;
  for (std::int32_t i = 0; i < 10; ++i) merges.push_back({i, i, i + 1});
  CHECK(merged(merges, Symbols(1 << 20, 0)) == Symbols(1 << 10, 10));
}

// Symbols 0, 1, 2 are a, b, c; 3 is ab, 4 is abc.
static std::vector<std::int32_t> with_dropout(double probability, std::uint64_t seed,
                                              std::vector<std::int32_t> symbols = {0, 1, 2}) {
  const std::vector<BpeMerge> merges = {{0, 1, 3}, {3, 2, 4}};
  BpeWorkspace workspace;
  MergeDropout dropout{probability, Rng(random_key(seed, Purpose::kTokens))};
  BpeMerges(merges).apply(symbols, workspace, dropout);
  return symbols;
}

TEST_CASE("BPE-dropout leaves out each merge with its probability") {
  CHECK(with_dropout(0, 1) == Symbols{4});
  CHECK(with_dropout(0, 1, {0, 1, 0, 1, 2, 2}) == Symbols{3, 4, 2});
  CHECK(with_dropout(1, 1) == Symbols{0, 1, 2});
  CHECK(with_dropout(0.3, 7) == with_dropout(0.3, 7));
  std::map<Symbols, int> counts;
  constexpr int kDraws = 20'000;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) ++counts[with_dropout(0.3, seed)];
  // The first merge is left out in 0.3 of all cases, and the second in 0.3 of the rest.
  CHECK(counts.size() == 3);
  CHECK(std::abs(counts[Symbols{0, 1, 2}] / double(kDraws) - 0.3) < 0.02);
  CHECK(std::abs(counts[Symbols{3, 2}] / double(kDraws) - 0.7 * 0.3) < 0.02);
}

TEST_CASE("a pair that was left out is tried again after the next merge") {
  // Two positions of (a, b): the second may be merged although the first was left out, and then the first again.
  std::map<std::vector<std::int32_t>, int> counts;
  constexpr int kDraws = 20'000;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) ++counts[with_dropout(0.5, seed, {0, 1, 0, 1})];
  CHECK(std::abs(counts[Symbols{0, 1, 0, 1}] / double(kDraws) - 0.25) < 0.02);
  CHECK(std::abs(counts[Symbols{3, 3}] / double(kDraws) - 0.75 * 0.5) < 0.02);
}
