#include "text/tokenizer/gpt2_split.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "text/unicode.h"
#include "text/utf8.h"

#ifdef RAPT_HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

using namespace rapt;
using Words = std::vector<std::string>;

static Words split(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const std::size_t length = gpt2_word_length(text);
    if (length < 1 || length > text.size()) FAIL("a word of " << length << " bytes");
    words.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

TEST_CASE("words include the preceding space; contractions and digits are separate") {
  CHECK(split("Hello world, it's 2024!") == Words{"Hello", " world", ",", " it", "'s", " 2024", "!"});
  CHECK(split("we'll they'Re 'tis''s") == Words{"we", "'ll", " they", "'", "Re", " '", "tis", "''", "s"});
  CHECK(split("abc123def") == Words{"abc", "123", "def"});
  CHECK(split("x=y+1;") == Words{"x", "=", "y", "+", "1", ";"});
}

TEST_CASE("the last space of a run belongs to the next word; at the end of the text, the run stays together") {
  CHECK(split("a   b") == Words{"a", "  ", " b"});
  CHECK(split("a \n b") == Words{"a", " \n", " b"});
  CHECK(split("a\n\nb") == Words{"a", "\n", "\n", "b"});
  CHECK(split("a\nb") == Words{"a", "\n", "b"});
  CHECK(split("a   ") == Words{"a", "   "});
  CHECK(split(" ") == Words{" "});
  CHECK(split("\u3000\u3000b") == Words{"\u3000", "\u3000", "b"});
}

TEST_CASE("bytes that are not UTF-8 count as characters that are neither letter, number nor space") {
  CHECK(split("a\xFF\xC3 b") == Words{"a", "\xFF\xC3", " b"});
  CHECK(split("\x80'\xE2\x82") == Words{"\x80'\xE2\x82"});
  CHECK(split(std::string("a\0\0b", 4)) == Words{"a", std::string("\0\0", 2), "b"});
}

#ifdef RAPT_HAVE_PCRE2
// Letters and numbers of the first plane that were added in Unicode 15.
static bool is_new(char32_t code) { return code == 0x0CF3; }

// The pattern in PCRE2. \s is spelt out, because PCRE2's includes U+180E, which left White_Space in Unicode 6.3. \p{L}
// and \p{N} are those of Unicode 14 there and of 15 here.
class Pattern {
 public:
  Pattern() {
    const std::string space =
        "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
    const std::string pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" + space + "\\p{L}\\p{N}]+|[" +
                                space + "]+(?![^" + space + "])|[" + space + "]+";
    int error = 0;
    PCRE2_SIZE at = 0;
    code_ =
        pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(), PCRE2_UTF, &error, &at, nullptr);
    REQUIRE(code_ != nullptr);
    match_ = pcre2_match_data_create_from_pattern_8(code_, nullptr);
  }
  ~Pattern() {
    pcre2_match_data_free_8(match_);
    pcre2_code_free_8(code_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  Words split(const std::string& text) const {
    Words words;
    for (std::size_t at = 0; at < text.size();) {
      const int found = pcre2_match_8(code_, reinterpret_cast<PCRE2_SPTR8>(text.data()), text.size(), at,
                                      PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, match_, nullptr);
      if (found <= 0) FAIL("PCRE2 finds nothing at byte " << at);
      const PCRE2_SIZE* place = pcre2_get_ovector_pointer_8(match_);
      words.push_back(text.substr(place[0], place[1] - place[0]));
      at = place[1];
    }
    return words;
  }

 private:
  pcre2_code_8* code_ = nullptr;
  pcre2_match_data_8* match_ = nullptr;
};

TEST_CASE("the scanner splits like PCRE2 with GPT-2's pattern") {
  const Pattern pattern;
  std::mt19937 random(7);
  const auto pick = [&random](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::u32string near = U"'strevmld  \t\n\r\u00A0\u3000a1é½٣中\u0301_-!🙂ⅷ";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const std::size_t length = 1 + pick(24);
    for (std::size_t i = 0; i < length; ++i) {
      // Mostly characters that the pattern treats specially; occasionally any character of the first plane that is not
      // new.
      char32_t code = pick(8) != 0 ? near[pick(near.size())] : static_cast<char32_t>(1 + pick(0xFFFE));
      if ((code >= 0xD800 && code <= 0xDFFF) || is_new(code)) code = U'x';
      append_utf8(text, code);
    }
    CAPTURE(text);
    REQUIRE(split(text) == pattern.split(text));
  }
}

TEST_CASE("letters and numbers differ from PCRE2's only in characters that are new in Unicode 15") {
  const Pattern pattern;
  std::vector<std::uint32_t> different;
  for (char32_t code = 1; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text = "a";
    append_utf8(text, code);
    text += "1";
    if (split(text) != pattern.split(text)) different.push_back(code);
  }
  CHECK(different.size() < 5000);  // CJK extension H alone has 4192
  for (const std::uint32_t code : different) {
    CAPTURE(code);
    CHECK((character_class(code) & (kLetter | kNumber)) != 0);
    if (code < 0x10000) CHECK(is_new(code));
  }
}
#endif
