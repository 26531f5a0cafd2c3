#include "text/unicode.h"

#include <doctest/doctest.h>
#include <utf8proc.h>

#include <string>

#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/utf8.h"

using namespace rapt;

TEST_CASE("letters and numbers are those of utf8proc, ASCII and beyond") {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    const char kind = utf8proc_category_string(static_cast<utf8proc_int32_t>(code))[0];
    const std::uint8_t expected = kind == 'L' ? kLetter : kind == 'N' ? kNumber : std::uint8_t{0};
    if ((character_class(code) & (kLetter | kNumber)) != expected) FAIL("U+" << static_cast<std::uint32_t>(code));
  }
  CHECK(character_class(0x110000) == 0);
  CHECK(character_class(0xFFFFFFFF) == 0);
}

TEST_CASE("white space, punctuation, marks and controls are where Unicode and BERT have them") {
  for (const char32_t space : U"\t\n\v\f\r \u0085\u00A0\u1680\u2003\u2028\u3000") {
    if (space != 0) CHECK((character_class(space) & kSpace) != 0);
  }
  for (const char32_t other : U"\u180E\u200B\uFEFFa_") {
    if (other != 0) CHECK((character_class(other) & kSpace) == 0);
  }
  for (const char32_t mark : U"!$+<=>^`|~\u00BF\u3002\u2014") {
    if (mark != 0) CHECK((character_class(mark) & kPunctuation) != 0);
  }
  CHECK((character_class(U'€') & kPunctuation) == 0);
  CHECK((character_class(0x301) & kNonspacingMark) != 0);
  CHECK((character_class(0x200D) & kControl) != 0);
  CHECK((character_class(U'_') & kWordCharacter) != 0);
  CHECK((character_class(0x24B6) & kWordCharacter) != 0);
  CHECK((character_class(U'-') & kWordCharacter) == 0);
  CHECK((character_class(0x301) & kMark) != 0);
  CHECK((character_class(0x903) & (kMark | kNonspacingMark)) == kMark);
  CHECK((character_class(U'a') & kMark) == 0);
}

TEST_CASE("clusters are what readers see as one character") {
  CHECK(grapheme_length("") == 0);
  CHECK(grapheme_length("ab") == 1);
  CHECK(grapheme_length("\r\n\n") == 2);
  CHECK(grapheme_length("\n\r") == 1);
  CHECK(grapheme_length("e\u0301\u0323x") == 5);
  CHECK(grapheme_length("\u1100\u1161\u11A8\u1100") == 9);
  CHECK(grapheme_length("🇩🇪🇫🇷") == 8);
  CHECK(grapheme_length("👩\u200D🚀!") == 11);
  CHECK(grapheme_length("\xFF\u0301") == 3);
}

TEST_CASE("normal forms agree with utf8proc on whole texts, although ASCII is skipped") {
  const std::string text = "e\u0301 o\u0308\u0323x ﬁ ½ \u1E9B\u0323 가 각 Å\u0301 ≠=\u0338 plain e\u0301";
  struct Case {
    UnicodeForm form;
    utf8proc_uint8_t* (*oracle)(const utf8proc_uint8_t*);
  };
  for (const auto& [form, oracle] :
       {Case{UnicodeForm::kNfc, utf8proc_NFC}, Case{UnicodeForm::kNfd, utf8proc_NFD},
        Case{UnicodeForm::kNfkc, utf8proc_NFKC}, Case{UnicodeForm::kNfkd, utf8proc_NFKD}}) {
    utf8proc_uint8_t* expected = oracle(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
    CHECK(unicode_normalize(text, form) == reinterpret_cast<const char*>(expected));
    std::free(expected);
  }
  CHECK(unicode_normalize("a\xFF", UnicodeForm::kNfc) == "a\uFFFD");
}

TEST_CASE("BERT's normaliser cleans, sets ideographs apart, strips accents and lowers the case") {
  const auto normal = [](const std::string& text, const BertNormalizerOptions& options = {}) {
    return make_bert_normalizer(options)->normalize(text);
  };
  CHECK(normal("Héllo\tWÖRLD\r\n") == "hello world  ");
  CHECK(normal("a\x01z\u200B\uFFFD|" + std::string(1, '\0') +
               "b\x0B"
               "c\u0085"
               "d") == "az|bcd");
  CHECK(normal("x\u3000y\u2028z") == "x y z");
  CHECK(normal("東京tokyo") == " 東  京 tokyo");
  CHECK(normal("İΑΣ") == "iασ");
  CHECK(normal("İΑΣ", {.strip_accents = false}) == "i\u0307ασ");
  CHECK(normal("Héllo", {.strip_accents = false, .lowercase = false}) == "Héllo");
  CHECK(normal("\x01 A", {.clean_text = false}) == "\x01 a");
  CHECK(normal("a\xFF\xFE"
               "b") == "ab");
}

TEST_CASE("BERT's words end at spaces, and each punctuation mark is a word") {
  const auto pre_tokenizer = pre_tokenizer_from_json(Json{{"type", "BertPreTokenizer"}}, "t");
  const auto words = [&](std::string_view rest) {
    std::string out;
    for (std::string_view word; !(word = pre_tokenizer->next_word(rest)).empty();) out += "[" + std::string(word) + "]";
    return out;
  };
  CHECK(words(" don't  stop!? ") == "[don]['][t][stop][!][?]");
  CHECK(words("") == "");
  CHECK(words(" \u3000\n") == "");
  CHECK(words("naïve—yes。") == "[naïve][—][yes][。]");
}

TEST_CASE("text in lower case is Python's: a sigma at the end of a word has its own form") {
  CHECK(full_lower_case("ΟΔΟΣ ΣΑΣ. Σ ΑΣΒ") == "οδος σας. σ ασβ");
  CHECK(full_lower_case("ΑΣ'Β ΑΣ\u0301 ᾼΣ ⅠΣ 1Σ") == "ασ'β ας\u0301 ᾳς ⅰς 1σ");  // what is ignored around it
  CHECK(full_lower_case("İ \u212A ǅ ÅB") == "i\u0307 k ǆ åb");
  CHECK(full_lower_case("A\xFF") == "a\uFFFD");
  CHECK(is_symbol('+'));
  CHECK(!is_symbol('!'));
  CHECK(is_symbol(U'\u20AC'));
  CHECK(is_python_space(0x1C));
}
