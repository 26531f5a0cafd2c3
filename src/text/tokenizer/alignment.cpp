#include "text/tokenizer/alignment.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

Utf8Character first_character(std::string_view text) { return read_utf8(text.data(), text.data() + text.size()); }

bool is_space(std::string_view text) { return (character_class(first_character(text).code) & kSpace) != 0; }

// A character and its accents.
std::size_t cluster_length(std::string_view text) {
  std::size_t length = first_character(text).length;
  while (length < text.size()) {
    const Utf8Character c = first_character(text.substr(length));
    if ((character_class(c.code) & kNonspacingMark) == 0) break;
    length += c.length;
  }
  return length;
}

// White space, or the text between white space.
std::size_t word_length(std::string_view text) {
  const bool space = is_space(text);
  std::size_t length = 0;
  while (length < text.size() && is_space(text.substr(length)) == space) {
    length += first_character(text.substr(length)).length;
  }
  return length;
}

std::size_t whole_length(std::string_view text) { return text.size(); }

}  // namespace

Alignment::Alignment(const Normalizer& normalizer, std::string_view text) : normal_(normalizer.normalize(text)) {
  for (const auto part_length : {cluster_length, word_length, whole_length}) {
    parts_.clear();
    std::string joined;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t length = part_length(text.substr(begin));
      joined += normalizer.normalize(text.substr(begin, length));
      parts_.push_back({joined.size(), {begin, begin + length}});
      begin += length;
    }
    if (joined == normal_) return;
  }
}

TokenSpan Alignment::origin(std::size_t begin, std::size_t end) const {
  if (parts_.empty()) return {begin, end};
  const auto ends_behind = [](std::size_t at, const Part& part) { return at < part.normal_end; };
  const auto first = std::upper_bound(parts_.begin(), parts_.end(), begin, ends_behind);
  const auto last = std::upper_bound(first, parts_.end(), end - 1, ends_behind);
  return {first->origin.begin, last->origin.end};
}

}  // namespace rapt
