// UTF-8: reading, writing, checking. Every text that enters rapt passes through here, or is treated as bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// The replacement for bytes that are not UTF-8: U+FFFD.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One character read from a text. If the bytes are not UTF-8, `valid` is false, `code` is U+FFFD, and `length` covers
/// the longest start of a character that they could have been (Unicode 15, section 3.9, "maximal subpart"), at least 1.
struct Utf8Character {
  char32_t code = kReplacementCharacter;
  std::uint32_t length = 1;
  bool valid = false;
};

Utf8Character read_wide_utf8(const char* p, const char* end);  // read_utf8 for non-ASCII

/// Reads the character at `p`, which must be before `end`. Rejects overlong forms, surrogates and codes over U+10FFFF.
inline Utf8Character read_utf8(const char* p, const char* end) {
  const auto first = static_cast<unsigned char>(*p);
  return first < 0x80 ? Utf8Character{first, 1, true} : read_wide_utf8(p, end);
}

/// Reads the character that ends with the text's last byte; the text must not be empty.
Utf8Character read_last_utf8(std::string_view text);

/// Calls visit(code, bytes) for each character of the text; bytes that are not UTF-8 are passed as U+FFFD.
template <typename Visit>
void for_each_character(std::string_view text, Visit&& visit) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const Utf8Character c = read_utf8(p, end);
    visit(c.code, c.valid ? std::string_view(p, c.length) : std::string_view("\xEF\xBF\xBD"));
    p += c.length;
  }
}

/// Whether the text has more than `most` characters; reads only as much as needed.
bool has_more_characters(std::string_view text, std::size_t most);

/// Appends a character's one to four bytes. \throws std::invalid_argument  for a surrogate or a code over U+10FFFF
void append_utf8(std::string& out, char32_t code);

/// "U+00E9".
std::string code_point_name(char32_t code);

/// Byte offset of the first byte that is not UTF-8.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// \param name    the file that the text came from, for the message
/// \param offset  of the text's first byte in that file
/// \throws DataError  `NAME: must be text in UTF-8, got 0xC3 0x28 at byte 1042; ...`
void require_utf8(std::string_view text, std::string_view name, std::size_t offset = 0);

/// The text with U+FFFD in place of everything that is not UTF-8.
std::string utf8_lossy(std::string_view text);

/// The characters of a text; bytes that are not UTF-8 become U+FFFD.
std::u32string characters_of(std::string_view text);

/// Collects the distinct characters of texts; bytes that are not UTF-8 are U+FFFD.
class CharacterSet final {
 public:
  void add(std::string_view text);
  std::size_t size() const;

 private:
  std::array<bool, 128> ascii_{};  // for most text: a store per byte, without a lookup
  std::vector<bool> wide_ = std::vector<bool>(0x110000);
  std::size_t wide_size_ = 0;
};

/// Number of bytes at the end of the text that start a character which more bytes could complete: 0 to 3.
std::size_t incomplete_utf8_tail(std::string_view text);

}  // namespace rapt
