#include "io/escape.h"

#include <fmt/format.h>

#include <array>

namespace rapt {

// Length of the well-formed UTF-8 sequence at the start of `text`, its character in `character`; 0 if there is none.
// Unicode Standard 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
static std::size_t decode_utf8(std::string_view text, char32_t& character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    character = lead;
    return 1;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  character = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    character = (character << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kSmallest[length] || character > 0x10FFFF) return 0;
  if (character >= 0xD800 && character <= 0xDFFF) return 0;
  return length;
}

static bool turns_direction(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool breaks_line(char32_t c) { return c == 0x2028 || c == 0x2029; }

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t c = 0;
    const std::size_t length = decode_utf8(text, c);
    if (length == 0 || c < 0x20 || c == 0x7F) {
      const char byte = text.front();
      if (byte == '\n') {
        out += "\\n";
      } else if (byte == '\t') {
        out += "\\t";
      } else if (byte == '\r') {
        out += "\\r";
      } else {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
      text.remove_prefix(1);
      continue;
    }
    if ((c >= 0x80 && c < 0xA0) || turns_direction(c) || breaks_line(c)) {
      out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string in_quotes(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return '"' + escape_for_terminal(text) + '"';
  std::size_t end = limit;
  while (end > 0 && end + 4 > limit && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return '"' + escape_for_terminal(text.substr(0, end)) + "...\"";
}

std::string for_shell(std::string_view word) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return escape_for_terminal(quoted + "'");
}

std::string readable_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  std::string out;
  out += fmt::format("{:.{}f} ", value, value < 99.95 ? 1 : 0);
  return out + kUnits[unit];
}

}  // namespace rapt
