#include "text/tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "text/utf8.h"

namespace rapt {

namespace {

constexpr char32_t kCharacters = 0x144;  // U+0143 is the last character of the alphabet

struct Alphabet {
  std::array<std::string, 256> text;
  std::array<std::int16_t, kCharacters> byte_of;

  Alphabet() {
    byte_of.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
      const char32_t code = printable ? b : next++;
      append_utf8(text[b], code);
      byte_of[code] = static_cast<std::int16_t>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

const std::string& printable_byte(unsigned char byte) { return alphabet().text[byte]; }

std::string printable_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char b : bytes) out += printable_byte(static_cast<unsigned char>(b));
  return out;
}

std::optional<std::string> bytes_of_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const Utf8Character c = read_utf8(p, end);
    const int byte = c.valid && c.code < kCharacters ? alphabet().byte_of[c.code] : -1;
    if (byte < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    p += c.length;
  }
  return out;
}

}  // namespace rapt
