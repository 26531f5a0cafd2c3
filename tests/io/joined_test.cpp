#include "io/joined.h"

#include <doctest/doctest.h>

#include <cctype>
#include <vector>

using namespace rapt;

static std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST_CASE("items are joined by commas or another separator") {
  const std::vector<std::string> words = {"a", "", "c"};
  CHECK(joined(words) == "a, , c");
  CHECK(joined(words, "|") == "a||c");
  CHECK(joined(words, " or ", in_capitals) == "A or  or C");
  CHECK(joined(std::vector<std::string>{}).empty());
  CHECK(joined(std::vector<int>{1, 20}, " ", [](int n) { return std::to_string(n); }) == "1 20");
}

TEST_CASE("a long list ends in dots") {
  const std::vector<std::string> words = {"a", "b", "c"};
  CHECK(joined_first(words, 2) == "a, b, ...");
  CHECK(joined_first(words, 3) == "a, b, c");
  CHECK(joined_first(words, 2, in_capitals) == "A, B, ...");
  CHECK(joined_first(std::vector<std::string>{}, 2).empty());
}
