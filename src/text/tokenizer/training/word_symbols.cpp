#include "text/tokenizer/training/word_symbols.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer/byte_alphabet.h"
#include "text/utf8.h"

namespace rapt {

namespace {

using Symbols = std::map<std::string, std::int32_t, std::less<>>;

// Sorted; of equally frequent ones, those that sort first are kept.
std::vector<std::string> most_frequent_characters(const std::vector<WordCounts::Word>& words, std::size_t most) {
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const auto& word : words) {
    for_each_character(word.text, [&](char32_t, std::string_view c) {
      const auto found = counts.find(c);
      (found == counts.end() ? counts.emplace(c, 0).first : found)->second += word.count;
    });
  }
  std::vector<std::pair<std::string, std::int64_t>> known(counts.begin(), counts.end());
  std::stable_sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  known.resize(std::min(known.size(), most));
  std::vector<std::string> out;
  for (auto& [character, count] : known) out.push_back(std::move(character));
  std::sort(out.begin(), out.end());
  return out;
}

std::int32_t add_token(BpeCorpus& corpus, std::string text) {
  corpus.tokens.push_back(std::move(text));
  return static_cast<std::int32_t>(corpus.tokens.size() - 1);
}

// Ends a word that starts with symbol `begin`; does nothing if there is none.
void end_word(BpeCorpus& corpus, std::uint32_t begin, std::int64_t count) {
  const auto length = static_cast<std::uint32_t>(corpus.symbols.size()) - begin;
  if (length != 0) corpus.words.push_back({begin, length, count});
}

}  // namespace

BpeCorpus byte_symbols(const WordCounts& words) {
  BpeCorpus corpus;
  std::vector<unsigned char> order;
  for (int b = 0; b < 256; ++b) order.push_back(static_cast<unsigned char>(b));
  std::stable_sort(order.begin(), order.end(),
                   [](unsigned char a, unsigned char b) { return printable_byte(a) < printable_byte(b); });
  std::array<std::int32_t, 256> symbol_of{};
  for (const unsigned char b : order) symbol_of[b] = add_token(corpus, std::string(1, static_cast<char>(b)));
  corpus.symbols.reserve(words.text_bytes());
  corpus.words.reserve(words.size());
  words.for_each_sorted([&](const WordCounts::Word& word) {
    const auto begin = static_cast<std::uint32_t>(corpus.symbols.size());
    for (const char b : word.text) corpus.symbols.push_back(symbol_of[static_cast<unsigned char>(b)]);
    end_word(corpus, begin, word.count);
  });
  return corpus;
}

BpeCorpus word_end_symbols(const WordCounts& words, std::size_t max_characters, std::string_view word_end) {
  const auto sorted = words.sorted();
  const auto known = most_frequent_characters(sorted, max_characters);
  BpeCorpus corpus;
  Symbols symbol_of;
  for (const std::string& character : known) symbol_of.emplace(character, add_token(corpus, character));
  const auto end_forms = word_end.empty() ? 0 : static_cast<std::int32_t>(corpus.tokens.size());
  if (!word_end.empty()) {
    for (const std::string& character : known) add_token(corpus, character + std::string(word_end));
  }

  for (const auto& word : sorted) {
    auto begin = static_cast<std::uint32_t>(corpus.symbols.size());
    const auto cut = [&] {
      end_word(corpus, begin, word.count);
      begin = static_cast<std::uint32_t>(corpus.symbols.size());
    };
    const char* const end = word.text.data() + word.text.size();
    for_each_character(word.text, [&](char32_t, std::string_view c) {
      const auto found = symbol_of.find(c);
      if (found == symbol_of.end()) {
        cut();
      } else {
        corpus.symbols.push_back(found->second + (c.data() + c.size() == end ? end_forms : 0));
      }
    });
    cut();
  }
  return corpus;
}

BpeCorpus continued_symbols(const WordCounts& words, std::size_t max_characters, std::string_view prefix) {
  const auto sorted = words.sorted();
  const auto known = most_frequent_characters(sorted, max_characters);
  std::set<std::string, std::less<>> in_longer_words;
  for (const auto& word : sorted) {
    const char* const begin = word.text.data();
    if (read_utf8(begin, begin + word.text.size()).length == word.text.size()) continue;
    for_each_character(word.text, [&](char32_t, std::string_view c) {
      if (!in_longer_words.contains(c)) in_longer_words.emplace(c);
    });
  }
  BpeCorpus corpus;
  Symbols first, inner;
  for (const std::string& character : known) first.emplace(character, add_token(corpus, character));
  for (const std::string& character : known) {
    if (in_longer_words.contains(character)) {
      inner.emplace(character, add_token(corpus, std::string(prefix) + character));
    }
  }
  for (const auto& word : sorted) {
    const auto begin = static_cast<std::uint32_t>(corpus.symbols.size());
    bool is_known = true;
    for_each_character(word.text, [&](char32_t, std::string_view c) {
      const Symbols& forms = corpus.symbols.size() == begin ? first : inner;
      const auto found = forms.find(c);
      is_known = is_known && found != forms.end();
      if (is_known) corpus.symbols.push_back(found->second);
    });
    if (!is_known) corpus.symbols.resize(begin);
    end_word(corpus, begin, word.count);
  }
  return corpus;
}

}  // namespace rapt
