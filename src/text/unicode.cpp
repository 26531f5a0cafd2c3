#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "tensor/error.h"
#include "text/utf8.h"

namespace rapt {

namespace {

bool is_white_space(char32_t code) {
  return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

// Alphabetic characters that are not letters, letter numbers or marks: circled and squared letters (PropList.txt,
// Other_Alphabetic of category So).
bool is_alphabetic_symbol(char32_t code) {
  return (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
         (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189);
}

// For non-ASCII characters. ASCII has its own table (unicode.h), in which symbols count as punctuation.
std::uint8_t classify(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  const auto in = [category](utf8proc_category_t first, utf8proc_category_t last) {
    return category >= first && category <= last;
  };
  const bool letter = in(UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
  const bool mark = in(UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME);
  const bool digit = in(UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL);
  unsigned bits = 0;
  if (letter) bits |= kLetter;
  if (in(UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO)) bits |= kNumber;
  if (is_white_space(code)) bits |= kSpace;
  if (in(UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO)) bits |= kPunctuation;
  if (category == UTF8PROC_CATEGORY_MN) bits |= kNonspacingMark;
  if (mark) bits |= kMark;
  if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO) {
    bits |= kControl;
  }
  if (letter || mark || digit || category == UTF8PROC_CATEGORY_PC || code == 0x200C || code == 0x200D ||
      is_alphabetic_symbol(code)) {
    bits |= kWordCharacter;
  }
  return static_cast<std::uint8_t>(bits);
}

// Two stages: most of the 4352 blocks of 256 characters are the same; about a hundred differ.
class ClassTable {
 public:
  ClassTable() {
    std::map<std::array<std::uint8_t, 256>, std::uint16_t> seen;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      std::array<std::uint8_t, 256> block;
      for (std::size_t i = 0; i < 256; ++i) block[i] = classify(static_cast<char32_t>(b * 256 + i));
      const auto [where, is_new] = seen.emplace(block, static_cast<std::uint16_t>(seen.size()));
      if (is_new) classes_.insert(classes_.end(), block.begin(), block.end());
      blocks_[b] = where->second;
    }
  }
  std::uint8_t operator[](char32_t code) const {
    return code > 0x10FFFF ? 0 : classes_[blocks_[code >> 8] * std::size_t{256} + (code & 255)];
  }

 private:
  std::array<std::uint16_t, 0x1100> blocks_{};
  std::vector<std::uint8_t> classes_;
};

const ClassTable& class_table() {
  static const ClassTable table;
  return table;
}

}  // namespace

std::uint8_t detail::wide_character_class(char32_t code) { return class_table()[code]; }

bool is_bert_cjk(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kRanges[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                      {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return code >= 0x3400 && std::any_of(std::begin(kRanges), std::end(kRanges),
                                       [code](const Range& r) { return code >= r.first && code <= r.last; });
}

void append_lower_case(std::string& out, char32_t code) {
  if (code ==
      0x130) {  // the only unconditional one-to-two mapping in SpecialCasing.txt; utf8proc knows only one-to-one ones
    out += "i\xCC\x87";
    return;
  }
  append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
}

bool is_symbol(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
}

// The property Cased: letters with case, and Other_Lowercase and Other_Uppercase of PropList.txt without those that are
// also Case_Ignorable.
static bool is_cased(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LT) || code == 0xAA || code == 0xBA ||
         (code >= 0x2160 && code <= 0x217F) || is_alphabetic_symbol(code);
}

// The property Case_Ignorable: marks without width, format characters, modifiers, and the characters with the
// Word_Break values MidLetter, MidNumLet and Single_Quote.
static bool is_case_ignorable(char32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::u32string_view(
                 U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A")
                 .find(code) != std::u32string_view::npos;
  }
}

std::string full_lower_case(std::string_view text) {
  constexpr char32_t kCapitalSigma = 0x3A3;
  std::string out;
  out.reserve(text.size());
  bool after_cased = false;  // the last character that is not ignorable has case
  for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
    const Utf8Character c = read_utf8(p, end);
    p += c.length;
    if (c.code == kCapitalSigma) {
      const char* next = p;
      Utf8Character following{};
      do {
        following = next < end ? read_utf8(next, end) : Utf8Character{.code = U' '};
        next += following.length;
      } while (is_case_ignorable(following.code));
      append_utf8(out, after_cased && !is_cased(following.code) ? 0x3C2 : 0x3C3);
    } else {
      append_lower_case(out, c.code);
    }
    if (!is_case_ignorable(c.code)) after_cased = is_cased(c.code);
  }
  return out;
}

std::size_t grapheme_length(std::string_view text) {
  if (text.empty()) return 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  Utf8Character before = read_utf8(p, end);
  p += before.length;
  utf8proc_int32_t state = 0;
  while (p < end) {
    const Utf8Character c = read_utf8(p, end);
    const bool plain = before.code < 0x80 && c.code < 0x80 && before.code != '\r';
    if (plain || utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before.code),
                                                  static_cast<utf8proc_int32_t>(c.code), &state)) {
      break;
    }
    p += c.length;
    before = c;
  }
  return static_cast<std::size_t>(p - text.data());
}

static void append_normalized(std::string& out, std::string_view text, UnicodeForm form) {
  int options = UTF8PROC_STABLE;
  if (form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc) options |= UTF8PROC_COMPOSE;
  if (form == UnicodeForm::kNfd || form == UnicodeForm::kNfkd) options |= UTF8PROC_DECOMPOSE;
  if (form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* raw = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &raw, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(raw, [](void* p) { std::free(p); });
  if (size < 0) throw MemoryError(std::string("unicode: cannot normalise a text: ") + utf8proc_errmsg(size));
  out.append(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

// An ASCII character is unchanged, and nothing moves across it; marks after it may only join it. So only runs of
// non-ASCII characters, each with the character before it, need work.
std::string unicode_normalize(std::string_view text, UnicodeForm form) {
  const std::string valid = find_invalid_utf8(text) ? utf8_lossy(text) : std::string();
  if (!valid.empty()) text = valid;
  const auto is_ascii = [text](std::size_t i) { return static_cast<unsigned char>(text[i]) < 0x80; };
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t run = at;
    while (run < text.size() && is_ascii(run)) ++run;
    if (run == text.size()) {
      out += text.substr(at);
      break;
    }
    const std::size_t from = run > at ? run - 1 : run;
    out += text.substr(at, from - at);
    std::size_t end = run;
    while (end < text.size() && !is_ascii(end)) ++end;
    append_normalized(out, text.substr(from, end - from), form);
    at = end;
  }
  return out;
}

}  // namespace rapt
