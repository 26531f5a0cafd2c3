// Character classes, from a table built once from utf8proc's (Unicode 15.0); one load per lookup.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// Bits of character_class. A character has any number of them; unassigned ones have none.
inline constexpr std::uint8_t kLetter = 1;           ///< general categories L*
inline constexpr std::uint8_t kNumber = 2;           ///< N*
inline constexpr std::uint8_t kSpace = 4;            ///< the property White_Space: \s in a regular expression
inline constexpr std::uint8_t kPunctuation = 8;      ///< P*, and ASCII's other marks ($ + < = > ^ ` | ~), as in BERT
inline constexpr std::uint8_t kNonspacingMark = 16;  ///< Mn
inline constexpr std::uint8_t kControl = 32;         ///< Cc, Cf, Co
inline constexpr std::uint8_t kWordCharacter = 64;   ///< \w in a regular expression (UTS 18, annex C)
inline constexpr std::uint8_t kMark = 128;           ///< M*: Mn, and the marks that take up space

namespace detail {

constexpr std::array<std::uint8_t, 128> ascii_classes() {
  std::array<std::uint8_t, 128> classes{};
  for (unsigned c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
    const bool control = c < 0x20 || c == 0x7F, space = c == ' ' || (c >= 9 && c <= 13);
    unsigned bits = 0;
    if (letter) bits |= kLetter;
    if (digit) bits |= kNumber;
    if (space) bits |= kSpace;
    if (control) bits |= kControl;
    if (bits == 0) bits = kPunctuation;
    if (letter || digit || c == '_') bits |= kWordCharacter;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 128> kAsciiClasses = ascii_classes();
std::uint8_t wide_character_class(char32_t code);

}  // namespace detail

/// OR of the bits above. Codes over U+10FFFF and surrogates have no class.
inline std::uint8_t character_class(char32_t code) {
  return code < 128 ? detail::kAsciiClasses[code] : detail::wide_character_class(code);
}

/// Ideographs that BERT surrounds with spaces: the blocks of BERT's tokenization.py, not all of CJK.
bool is_bert_cjk(char32_t code);

/// Whether the general category is S*: mathematical, currency and other symbols.
bool is_symbol(char32_t code);

/// White space of Python's str.split(): White_Space and the four information separators.
inline bool is_python_space(char32_t code) {
  return (character_class(code) & kSpace) != 0 || (code >= 0x1C && code <= 0x1F);
}

/// Appends the character's lower-case form: one character, except for U+0130, which becomes two.
void append_lower_case(std::string& out, char32_t code);

/// The text in lower case, as Python's str.lower(): character by character, except that a capital sigma at the end of a
/// word becomes U+03C2 (Unicode 15, section 3.13, Final_Sigma). Bytes that are not UTF-8 become U+FFFD.
std::string full_lower_case(std::string_view text);

/// Length in bytes of the extended grapheme cluster at the start of the text (UAX 29); 0 for an empty text.
std::size_t grapheme_length(std::string_view text);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

/// Unicode normalisation; bytes that are not UTF-8 first become U+FFFD.
/// \throws MemoryError
std::string unicode_normalize(std::string_view text, UnicodeForm form);

}  // namespace rapt
