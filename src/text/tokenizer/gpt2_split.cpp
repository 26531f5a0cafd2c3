#include "text/tokenizer/gpt2_split.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

constexpr std::uint8_t kKinds = kLetter | kNumber | kSpace;
constexpr std::uint8_t kOther = 128;  // none of the three; not a bit of character_class

struct Kind {
  std::uint8_t kind;  // kLetter, kNumber, kSpace or kOther
  std::uint32_t length;
};

// The kinds of all bytes that are characters; 0 for the rest.
const std::uint8_t* byte_kinds() {
  static const std::array<std::uint8_t, 256> table = [] {
    std::array<std::uint8_t, 256> kinds{};
    for (std::size_t b = 0; b < 128; ++b) {
      const auto kind = static_cast<std::uint8_t>(character_class(static_cast<char32_t>(b)) & kKinds);
      kinds[b] = kind == 0 ? kOther : kind;
    }
    return kinds;
  }();
  return table.data();
}

Kind wide_kind(const char* p, const char* end) {
  const Utf8Character c = read_utf8(p, end);
  if (!c.valid) return {kOther, 1};
  const auto kind = static_cast<std::uint8_t>(character_class(c.code) & kKinds);
  return {kind == 0 ? kOther : kind, c.length};
}

inline Kind kind_at(const char* p, const char* end, const std::uint8_t* kinds) {
  const std::uint8_t kind = kinds[static_cast<unsigned char>(*p)];
  return kind != 0 ? Kind{kind, 1} : wide_kind(p, end);
}

// 's 't 'm 'd 're 've 'll: their length, or 0.
std::size_t contraction_length(const char* p, const char* end) {
  if (end - p < 2) return 0;
  const char a = p[1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (end - p < 3) return 0;
  const char b = p[2];
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

const char* skip_kind(const char* p, const char* end, std::uint8_t kind, const std::uint8_t* kinds) {
  while (p < end) {
    const Kind next = kind_at(p, end, kinds);
    if (next.kind != kind) break;
    p += next.length;
  }
  return p;
}

// \s+(?!\S)|\s+ at p, where there is white space: the whole run at the end of the text; otherwise all but its last
//     character, which belongs to the next word; but a run of one is matched as it is.
const char* skip_spaces(const char* p, const char* end, const std::uint8_t* kinds) {
  const char* last = p;
  const char* q = p;
  while (q < end) {
    const Kind next = kind_at(q, end, kinds);
    if (next.kind != kSpace) return last > p ? last : q;
    last = q;
    q += next.length;
  }
  return q;
}

}  // namespace

std::size_t gpt2_word_length(std::string_view text) {
  static const std::uint8_t* const kinds = byte_kinds();
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (*begin == '\'') {
    if (const std::size_t length = contraction_length(begin, end); length != 0) return length;
  }
  const char* p = begin;
  if (*p == ' ' && end - p > 1) ++p;
  const Kind first = kind_at(p, end, kinds);
  const char* stop =
      first.kind == kSpace ? skip_spaces(begin, end, kinds) : skip_kind(p + first.length, end, first.kind, kinds);
  return static_cast<std::size_t>(stop - begin);
}

}  // namespace rapt
