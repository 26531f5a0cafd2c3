#include "text/tokenizer/added_tokens.h"

#include <algorithm>
#include <cstring>

#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

bool is_word_before(std::string_view text, std::size_t p) {
  return p > 0 && (character_class(read_last_utf8(text.substr(0, p)).code) & kWordCharacter) != 0;
}

bool is_word_at(std::string_view text, std::size_t p) {
  return p < text.size() &&
         (character_class(read_utf8(text.data() + p, text.data() + text.size()).code) & kWordCharacter) != 0;
}

std::size_t before_spaces(std::string_view text, std::size_t p, std::size_t stop) {
  while (p > stop) {
    const Utf8Character c = read_last_utf8(text.substr(0, p));
    if ((character_class(c.code) & kSpace) == 0) break;
    p -= c.length;
  }
  return std::max(p, stop);
}

std::size_t behind_spaces(std::string_view text, std::size_t p) {
  while (p < text.size()) {
    const Utf8Character c = read_utf8(text.data() + p, text.data() + text.size());
    if ((character_class(c.code) & kSpace) == 0) break;
    p += c.length;
  }
  return p;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {
  std::erase_if(patterns_, [](const Pattern& pattern) { return pattern.text.empty(); });
  std::stable_sort(patterns_.begin(), patterns_.end(),
                   [](const Pattern& a, const Pattern& b) { return a.text < b.text; });
  patterns_.erase(std::unique(patterns_.begin(), patterns_.end(),
                              [](const Pattern& a, const Pattern& b) { return a.text == b.text; }),
                  patterns_.end());
  for (const Pattern& pattern : patterns_) starts_[static_cast<unsigned char>(pattern.text[0])] = true;
  if (std::count(starts_.begin(), starts_.end(), true) == 1) {
    only_start_ = static_cast<int>(std::find(starts_.begin(), starts_.end(), true) - starts_.begin());
  }
}

// Patterns with a common prefix are adjacent; each byte narrows the range.
const AddedTokenFinder::Pattern* AddedTokenFinder::longest_match(std::string_view text) const {
  const Pattern* longest = nullptr;
  auto low = patterns_.begin(), high = patterns_.end();
  for (std::size_t depth = 0; low != high; ++depth) {
    if (low->text.size() == depth) longest = &*low++;
    if (depth == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[depth]);
    const auto byte_of = [depth](const Pattern& pattern) { return static_cast<unsigned char>(pattern.text[depth]); };
    low = std::partition_point(low, high, [&](const Pattern& pattern) { return byte_of(pattern) < byte; });
    high = std::partition_point(low, high, [&](const Pattern& pattern) { return byte_of(pattern) == byte; });
  }
  return longest;
}

std::size_t AddedTokenFinder::next_start(std::string_view text, std::size_t from) const {
  if (only_start_ >= 0) {
    const void* found = std::memchr(text.data() + from, only_start_, text.size() - from);
    return found == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  }
  while (from < text.size() && !starts_[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

std::vector<AddedTokenFinder::Segment> AddedTokenFinder::split(std::string_view text, SpecialTokens special) const {
  std::vector<Segment> segments;
  std::size_t done = 0;  // everything before is in segments
  std::size_t at = 0;
  while (!patterns_.empty() && at < text.size() && (at = next_start(text, at)) < text.size()) {
    const Pattern* match = longest_match(text.substr(at));
    if (match == nullptr) {
      ++at;
      continue;
    }
    const std::size_t begin = at, end = at + match->text.size();
    at = end;
    const AddedToken& token = match->token;
    if (token.special && special == SpecialTokens::kAsText) continue;
    if (token.single_word && (is_word_before(text, begin) || is_word_at(text, end))) continue;
    const std::size_t from = token.lstrip ? before_spaces(text, begin, done) : begin;
    const std::size_t to = token.rstrip ? behind_spaces(text, end) : end;
    if (from > done) segments.push_back({text.substr(done, from - done), -1});
    segments.push_back({text.substr(from, to - from), token.id});
    done = to;
  }
  if (done < text.size()) segments.push_back({text.substr(done), -1});
  return segments;
}

}  // namespace rapt
