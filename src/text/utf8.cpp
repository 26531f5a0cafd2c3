#include "text/utf8.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

namespace {

// The allowed bytes after a lead byte: tighter than 80..BF where that would allow overlong forms (E0, F0), surrogates
// (ED) or codes over U+10FFFF (F4). Unicode 15, table 3-7.
struct Lead {
  std::uint32_t length = 0;  // 0: no character starts with this byte
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

std::string hex_byte(unsigned char byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return {kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

Utf8Character read_wide_utf8(const char* p, const char* end) {
  const auto byte_at = [p](std::uint32_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char first = byte_at(0);
  const Lead lead = lead_of(first);
  if (lead.length == 0) return {};
  const auto available = static_cast<std::size_t>(end - p);
  char32_t code = first & (0x7Fu >> lead.length);
  for (std::uint32_t i = 1; i < lead.length; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80, high = i == 1 ? lead.high : 0xBF;
    if (i >= available || byte_at(i) < low || byte_at(i) > high) return {kReplacementCharacter, i, false};
    code = (code << 6) | (byte_at(i) & 0x3Fu);
  }
  return {code, lead.length, true};
}

Utf8Character read_last_utf8(std::string_view text) {
  const char* const end = text.data() + text.size();
  for (std::size_t back = 1; back <= 4 && back <= text.size(); ++back) {
    const Utf8Character c = read_utf8(end - back, end);
    if (c.valid && c.length == back) return c;
  }
  return {};
}

bool has_more_characters(std::string_view text, std::size_t most) {
  if (text.size() <= most) return false;
  std::size_t count = 0;
  for (const char* p = text.data(); p < text.data() + text.size();) {
    if (++count > most) return true;
    p += read_utf8(p, text.data() + text.size()).length;
  }
  return false;
}

void append_utf8(std::string& out, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    throw std::invalid_argument("append_utf8: code must be a Unicode scalar value, got " + code_point_name(code));
  }
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::string code_point_name(char32_t code) {
  std::string hex;
  for (std::uint32_t rest = code; rest != 0; rest >>= 8) hex.insert(0, hex_byte(static_cast<unsigned char>(rest)));
  hex.erase(0, hex.find_first_not_of('0'));
  if (hex.size() < 4) hex.insert(0, 4 - hex.size(), '0');
  return "U+" + hex;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    std::uint64_t eight = 0;
    if (end - p >= 8) {  // most text is ASCII: eight bytes at a time
      std::memcpy(&eight, p, 8);
      if ((eight & 0x8080808080808080u) == 0) {
        p += 8;
        continue;
      }
    }
    const Utf8Character c = read_utf8(p, end);
    if (!c.valid) return static_cast<std::size_t>(p - text.data());
    p += c.length;
  }
  return std::nullopt;
}

void require_utf8(std::string_view text, std::string_view name, std::size_t offset) {
  const auto at = find_invalid_utf8(text);
  if (!at) return;
  const auto lead = lead_of(static_cast<unsigned char>(text[*at]));
  const Utf8Character c = read_utf8(text.data() + *at, text.data() + text.size());
  // The bytes that were valid so far, and the first invalid one.
  const std::size_t shown = lead.length == 0 ? 1 : std::min<std::size_t>(c.length + 1, text.size() - *at);
  std::string bytes;
  for (std::size_t i = 0; i < shown; ++i) {
    bytes += (i == 0 ? "0x" : " 0x") + hex_byte(static_cast<unsigned char>(text[*at + i]));
  }
  throw DataError(escape_for_terminal(name) + ": must be text in UTF-8, got " + bytes + " at byte " +
                  std::to_string(offset + *at) + "; convert Latin-1 text with: iconv -f LATIN1 -t UTF-8");
}

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for_each_character(text, [&](char32_t code, std::string_view) { characters += code; });
  return characters;
}

std::string utf8_lossy(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const Utf8Character c = read_utf8(p, end);
    if (c.valid) {
      out.append(p, c.length);
    } else {
      append_utf8(out, kReplacementCharacter);
    }
    p += c.length;
  }
  return out;
}

void CharacterSet::add(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const auto first = static_cast<unsigned char>(*p);
    if (first < 0x80) {
      ascii_[first] = true;
      ++p;
      continue;
    }
    const Utf8Character c = read_wide_utf8(p, end);
    p += c.length;
    if (wide_[c.code]) continue;
    wide_[c.code] = true;
    ++wide_size_;
  }
}

std::size_t CharacterSet::size() const {
  return wide_size_ + static_cast<std::size_t>(std::count(ascii_.begin(), ascii_.end(), true));
}

std::size_t incomplete_utf8_tail(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const char* p = text.data() + text.size() - back;
    const Lead lead = lead_of(static_cast<unsigned char>(*p));
    if (lead.length <= 1) {
      if ((static_cast<unsigned char>(*p) & 0xC0) == 0x80) continue;  // its lead byte is further back
      return 0;
    }
    const Utf8Character c = read_utf8(p, text.data() + text.size());
    return !c.valid && c.length == back ? back : 0;
  }
  return 0;
}

}  // namespace rapt
