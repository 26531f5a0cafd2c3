#include "text/corpus/stories.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace rapt;

static std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(by, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + by.size();
  }
  return parts;
}

static const std::string& million() {
  static const std::string text = generate_stories(1, 1'000'000);
  return text;
}

TEST_CASE("stories are a pure function of seed and index") {
  CHECK(story(1, 5) == story(1, 5));
  CHECK(story(1, 5) != story(1, 6));
  CHECK(story(1, 5) != story(2, 5));
  const std::string text = generate_stories(7, 10'000);
  CHECK(text == generate_stories(7, 10'000));
  CHECK(text == generate_stories(7, 20'000).substr(0, text.size()));
  CHECK(text.size() >= 10'000);
  CHECK(text.size() < 13'000);
}

TEST_CASE("the first story of seed 1 is the one it has always been") {
  CHECK(story(1, 0).substr(0, 20) == "Nettle the beaver, T");
}

TEST_CASE("stories are plain ASCII text with an empty line between them") {
  const std::string& text = million();
  CHECK(text.size() >= 1'000'000);
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  CHECK(text.find("\n\n\n") == std::string::npos);
  CHECK(text.back() == '\n');
  const std::vector<std::string> stories = split(text, "\n\n");
  CHECK(stories.size() > 1000);
  CHECK(std::set<std::string>(stories.begin(), stories.end()).size() + 5 > stories.size());
  for (const std::string& one : stories) {
    CAPTURE(one);
    CHECK(one.size() > 300);
    CHECK(one.size() < 1800);
  }
}

TEST_CASE("stories hold no notation of the grammar and no slips of spacing") {
  const std::string& text = million();
  for (const char* bad : {"{",   "}",  "(",  ")",  "[",  "]",  "|",  "_",  "=",  "\\", "  ", " \n",
                          "\n ", " ,", " .", ",,", "..", "?.", "!.", ".,", "?,", "!,", "a  "}) {
    CAPTURE(bad);
    CHECK(text.find(bad) == std::string::npos);
  }
}

TEST_CASE("paragraphs start with a capital or a quotation, end with punctuation, and close their quotations") {
  for (const std::string& line : split(million(), "\n")) {
    if (line.empty()) continue;
    CAPTURE(line);
    const bool quoted = line.front() == '"';
    CHECK(std::isupper(static_cast<unsigned char>(line[quoted ? 1 : 0])) != 0);
    CHECK(std::string(".!?\"").find(line.back()) != std::string::npos);
    if (line.back() == '"') CHECK(std::string(".!?").find(line[line.size() - 2]) != std::string::npos);
    CHECK(std::count(line.begin(), line.end(), '"') % 2 == 0);
  }
}

TEST_CASE("every sentence starts with a capital") {
  const std::string& text = million();
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (std::string(".!?").find(text[i]) == std::string::npos || text[i + 1] != ' ') continue;
    const std::string around = text.substr(i < 40 ? 0 : i - 40, 80);
    CAPTURE(around);
    CHECK((text[i + 2] == '"' || std::isupper(static_cast<unsigned char>(text[i + 2])) != 0));
  }
}

TEST_CASE("\"a\" precedes consonants and \"an\" precedes vowels") {
  const std::string& text = million();
  const auto check_after = [&](const std::string& article, bool vowel_wanted) {
    for (std::size_t at = text.find(article); at != std::string::npos; at = text.find(article, at + 1)) {
      const std::string next = text.substr(at + article.size(), 12);
      CAPTURE(next);
      CHECK((std::string("aeiou").find(next[0]) != std::string::npos) == vowel_wanted);
    }
  };
  check_after(" a ", false);
  check_after("\nA ", false);
  check_after(". A ", false);
  check_after(" an ", true);
  check_after("An ", true);
}

TEST_CASE("no word is repeated") {
  std::string before;
  for (const std::string& line : split(million(), "\n")) {
    before.clear();
    for (const std::string& word : split(line, " ")) {
      CAPTURE(line);
      const bool plain = std::isalpha(static_cast<unsigned char>(word.back())) != 0;  // "boom, boom" is meant
      CHECK_FALSE((plain && word == before));
      before = word;
    }
  }
}

TEST_CASE("stories use more than 1,200 different words") {
  std::set<std::string> words;
  std::string word;
  for (const char c : million()) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, ""));
    }
  }
  CHECK(words.size() > 1200);
}
