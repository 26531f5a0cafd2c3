#include "text/tokenizer/byte_trie.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace rapt;

TEST_CASE("a trie finds what a search of the whole set finds, in any text") {
  std::mt19937 random(3);
  const auto word = [&random](std::size_t longest) {
    std::string out(random() % (longest + 1), '\0');
    for (char& c : out) c = "ab\xFF"[random() % 4];  // the fourth is NUL
    return out;
  };
  for (int round = 0; round < 50; ++round) {
    std::map<std::string, std::int32_t> texts;
    for (int i = 0; i < 40; ++i) texts.emplace(word(6), i);
    std::vector<ByteTrie::Entry> entries;
    for (const auto& [text, value] : texts) entries.push_back({text, value});
    const ByteTrie trie(entries);
    for (int i = 0; i < 200; ++i) {
      const std::string text = word(9);
      std::vector<std::pair<std::size_t, std::int32_t>> expected, found;
      for (std::size_t length = 1; length <= text.size(); ++length) {
        const auto at = texts.find(text.substr(0, length));
        if (at != texts.end()) expected.emplace_back(length, at->second);
      }
      trie.for_each_match(text, [&](std::size_t length, std::int32_t value) { found.emplace_back(length, value); });
      REQUIRE(found == expected);
      const ByteTrie::Match longest = trie.longest_match(text);
      CHECK(longest.length == (expected.empty() ? 0 : expected.back().first));
      CHECK(longest.value == (expected.empty() ? -1 : expected.back().second));
    }
  }
}

TEST_CASE("an empty set finds nothing, an empty text is never found, and of equal texts the last counts") {
  CHECK(ByteTrie().longest_match("a").length == 0);
  const ByteTrie trie({{"", 0}, {"a", 1}, {"a", 2}});
  CHECK(trie.longest_match("").length == 0);
  CHECK(trie.longest_match("b").length == 0);
  CHECK(trie.longest_match("ab").value == 2);
}
