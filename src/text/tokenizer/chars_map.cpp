#include "text/tokenizer/chars_map.h"

#include <algorithm>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

// Rules of real tables are much shorter on both sides. This bounds the cost of a malicious one, whose steps form a
// cycle or whose replacements have no end.
constexpr std::size_t kLongestRule = 256;

std::uint32_t read_little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

// The fields of a unit. A byte leads to the unit at (base of the previous unit) xor byte, which must have that byte as
// its label. Where a text ends, the unit at its base holds the value.
bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FF; }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

}  // namespace

CharsMap::CharsMap(std::string bytes, const std::string& name) : bytes_(std::move(bytes)) {
  const std::string_view view = bytes_;
  const std::size_t size = view.size() < 4 ? 0 : read_little_endian(view);
  if (view.size() < 4 || size % 4 != 0 || size > view.size() - 4) {
    throw DataError(tokenizer_subject(name) +
                    ": precompiled_charsmap must begin with its table's size in bytes, a multiple of 4 and at most " +
                    std::to_string(view.size() < 4 ? 0 : view.size() - 4) + ", got " + std::to_string(size));
  }
  for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(read_little_endian(view.substr(at)));
  replacements_ = view.substr(4 + size);
  for (std::string_view rest = replacements_; !rest.empty();) {
    const std::size_t length = std::min(rest.find('\0'), rest.size());
    if (length > kLongestRule || find_invalid_utf8(rest.substr(0, length))) {
      throw DataError(tokenizer_subject(name) + ": precompiled_charsmap must have replacements in UTF-8 of at most " +
                      std::to_string(kLongestRule) + " bytes, got " + in_quotes(rest.substr(0, length)));
    }
    rest.remove_prefix(std::min(length + 1, rest.size()));
  }
}

template <typename Visit>
void CharsMap::for_each_match(std::string_view text, Visit&& visit) const {
  if (units_.empty()) return;
  text = text.substr(0, kLongestRule);
  std::size_t at = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || label_of(units_[at]) != byte) return;
    const std::uint32_t unit = units_[at];
    at ^= offset_of(unit);
    if (!has_value(unit) || at >= units_.size()) continue;
    const std::size_t begin = value_of(units_[at]);
    if (begin >= replacements_.size()) continue;
    const std::string_view replacement = replacements_.substr(begin);
    if (!visit(Match{i + 1, replacement.substr(0, replacement.find('\0'))})) return;
  }
}

CharsMap::Match CharsMap::shortest_match(std::string_view text) const {
  Match found;
  for_each_match(text, [&found](const Match& match) {
    found = match;
    return false;
  });
  return found;
}

CharsMap::Match CharsMap::longest_match(std::string_view text) const {
  Match found;
  for_each_match(text, [&found](const Match& match) {
    found = match;
    return true;
  });
  return found;
}

}  // namespace rapt
