#include "text/utf8.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "io/temporary_folder.h"
#include "tensor/error.h"

using namespace rapt;

static std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}

TEST_CASE("every Unicode character survives writing and reading") {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, code);
    const Utf8Character c = read_utf8(text.data(), text.data() + text.size());
    if (!(c.valid && c.code == code && c.length == text.size())) FAIL("U+" << static_cast<std::uint32_t>(code));
    if (find_invalid_utf8(text)) FAIL("U+" << static_cast<std::uint32_t>(code));
  }
}

TEST_CASE("surrogates and codes over U+10FFFF are not written") {
  std::string text;
  CHECK_THROWS_AS(append_utf8(text, 0xD800), std::invalid_argument);
  CHECK(message_of<std::invalid_argument>([&] { append_utf8(text, 0x110000); }) ==
        "append_utf8: code must be a Unicode scalar value, got U+110000");
}

TEST_CASE("invalid UTF-8 is found at its first byte and named with the invalid bytes") {
  struct Case {
    std::string text;
    std::size_t at;
    std::string shown;
  };
  const std::vector<Case> cases = {
      {"abc" + bytes({0xC3, 0x28}), 3, "0xC3 0x28"},      // a lead without its continuation
      {"abcdefgh" + bytes({0xFF}) + "x", 8, "0xFF"},      // no lead byte, after eight ASCII bytes
      {bytes({0x80}), 0, "0x80"},                         // a continuation on its own
      {bytes({0xC0, 0x80}), 0, "0xC0"},                   // overlong NUL
      {bytes({0xE0, 0x80, 0x80}), 0, "0xE0 0x80"},        // overlong, three bytes
      {"é" + bytes({0xED, 0xA0, 0x80}), 2, "0xED 0xA0"},  // a surrogate
      {bytes({0xF4, 0x90, 0x80, 0x80}), 0, "0xF4 0x90"},  // over U+10FFFF
      {"€" + bytes({0xE2, 0x82}), 3, "0xE2 0x82"},        // truncated at the end
      {bytes({0xF0, 0x9F, 0x99, 0x28}), 0, "0xF0 0x9F 0x99 0x28"}};
  for (const Case& c : cases) {
    CAPTURE(c.shown);
    REQUIRE(find_invalid_utf8(c.text).has_value());
    CHECK(*find_invalid_utf8(c.text) == c.at);
    CHECK(message_of<DataError>([&] { require_utf8(c.text, "data/bad.txt", 1000); }) ==
          "data/bad.txt: must be text in UTF-8, got " + std::string(c.shown) + " at byte " +
              std::to_string(1000 + c.at) + "; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
  }
  CHECK_NOTHROW(require_utf8("naïve café, 東京 🙂", "good.txt"));
}

TEST_CASE("lossy text has one U+FFFD for each maximal incomplete character") {
  CHECK(utf8_lossy("a" + bytes({0xF0, 0x9F, 0x99}) + "b") == "a\uFFFDb");
  CHECK(utf8_lossy(bytes({0xED, 0xA0, 0x80})) == "\uFFFD\uFFFD\uFFFD");
  CHECK(utf8_lossy("né") == "né");
  CHECK(utf8_lossy("") == "");
}

TEST_CASE("the length of an incomplete character at the end is known") {
  CHECK(incomplete_utf8_tail("abc") == 0);
  CHECK(incomplete_utf8_tail("abc€") == 0);
  CHECK(incomplete_utf8_tail("abc" + bytes({0xE2})) == 1);
  CHECK(incomplete_utf8_tail("abc" + bytes({0xE2, 0x82})) == 2);
  CHECK(incomplete_utf8_tail(bytes({0xF0, 0x9F, 0x99})) == 3);
  CHECK(incomplete_utf8_tail(bytes({0xE2, 0x28})) == 0);
  CHECK(incomplete_utf8_tail(bytes({0x80, 0x80, 0x80, 0x80})) == 0);
  CHECK(incomplete_utf8_tail(bytes({0xC0})) == 0);
  CHECK(incomplete_utf8_tail("") == 0);
}

TEST_CASE("the last character of a text is read backwards") {
  CHECK(read_last_utf8("ab").code == U'b');
  CHECK(read_last_utf8("a€").code == U'€');
  CHECK(read_last_utf8("🙂").length == 4);
  CHECK_FALSE(read_last_utf8("a" + bytes({0x80})).valid);
}

TEST_CASE("characters are visited with their bytes, and counted no further than asked") {
  std::string seen;
  for_each_character("aé\xFF東\xE6\x9D", [&seen](char32_t code, std::string_view bytes) {
    seen += code_point_name(code) + "=" + std::string(bytes) + " ";
  });
  CHECK(seen == "U+0061=a U+00E9=é U+FFFD=\uFFFD U+6771=東 U+FFFD=\uFFFD ");
  CHECK_FALSE(has_more_characters("éé", 2));
  CHECK(has_more_characters("ééé", 2));
  CHECK(has_more_characters("a", 0));
  CHECK_FALSE(has_more_characters("", 0));
  CHECK(has_more_characters(std::string(1000, '\xFF'), 999));
}
