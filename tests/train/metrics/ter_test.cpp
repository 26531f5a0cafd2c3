#include "train/metrics/ter.h"

#include <doctest/doctest.h>

#include <string>

using namespace rapt;

TEST_CASE("insertions, deletions, replacements and moves count one edit each") {
  CHECK(translation_edits(U"", U"") == 0);
  CHECK(translation_edits(U"", U"abc") == 3);
  CHECK(translation_edits(U"abc", U"") == 3);
  CHECK(translation_edits(U"abc", U"abc") == 0);
  CHECK(translation_edits(U"abxd", U"abcd") == 1);
  CHECK(translation_edits(U"defabc", U"abcdef") == 1);  // one move
  CHECK(translation_edits(U"defabx", U"abcdef") == 2);  // a move and a replacement
  CHECK(translation_edits(U"badc", U"abcd") == 2);      // two moves
  CHECK(translation_edits(U"xyzabc", U"abcdef") == 4);  // a move, and three replacements
}

TEST_CASE("phrases of more than 10 words move in parts, and none moves over more than 50 words") {
  const std::u32string phrase = U"abcdefghijkl";  // 12
  std::u32string rest;
  for (char32_t c = 0; c < 30; ++c) rest += U'A' + c;
  CHECK(translation_edits(phrase + rest, rest + phrase) == 2);
  std::u32string far;
  for (char32_t c = 0; c < 60; ++c) far += 0x100 + c;
  CHECK(translation_edits(U"a" + far, far + U"a") == 2);  // deleted and inserted
  CHECK(translation_edits(U"a" + far.substr(0, 40), far.substr(0, 40) + U"a") == 1);
}

TEST_CASE("texts of very different lengths are compared, although their rows of the beam hardly overlap") {
  CHECK(translation_edits(std::u32string(1, U'a'), std::u32string(300, U'b')) == 300);
  CHECK(translation_edits(std::u32string(300, U'a'), std::u32string(2, U'b')) == 300);
}

TEST_CASE("TER without words in the references is 100 if there are words, else 0; it can exceed 100") {
  const Ter ter({}, false);
  CHECK(ter.score(ter.compare("a b", std::vector<std::string>{""})) == 100);
  CHECK(ter.score(ter.compare("", std::vector<std::string>{""})) == 0);
  CHECK(ter.score(ter.compare("a b c", std::vector<std::string>{"d"})) == 300);
}
