// What kind of character a character is, from a table built once out of utf8proc's (Unicode 15.0); one load a lookup.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// Bits of character_class. A character has any number of them; unassigned ones have none.
enum CharacterClass : std::uint8_t {
  kLetter = 1,           ///< general categories L*
  kNumber = 2,           ///< N*
  kSpace = 4,            ///< the property White_Space: what \s means in a Unicode regular expression
  kPunctuation = 8,      ///< P*, and ASCII's other marks ($ + < = > ^ ` | ~), as BERT counts them
  kNonspacingMark = 16,  ///< Mn
  kControl = 32,         ///< Cc, Cf, Co
  kWordCharacter = 64,   ///< what \w means (UTS 18, annex C): letters, marks, decimal digits, connectors, joiners
};

/// OR of CharacterClass. Codes over U+10FFFF and surrogates have no class.
std::uint8_t character_class(char32_t code);

/// The classes of the 128 ASCII characters, for loops that look at bytes.
const std::uint8_t* ascii_classes();

/// Ideographs that BERT sets apart with spaces: the blocks of BERT's tokenization.py, not all of CJK.
bool is_bert_cjk(char32_t code);

/// Adds the character's lower-case form: one character, but for U+0130, which becomes two.
void append_lower_case(std::string& out, char32_t code);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

/// Unicode normalisation; what is not UTF-8 becomes U+FFFD first.
/// \throws MemoryError
std::string unicode_normalize(std::string_view text, UnicodeForm form);

}  // namespace rapt
