#include "text/added_tokens.h"

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

AddedTokenFinder::AddedTokenFinder(std::vector<Pattern> patterns) : patterns_(std::move(patterns)), nodes_(1) {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const std::string& text = patterns_[i].text;
    if (text.empty()) continue;
    std::uint32_t at = 0;
    for (const char character : text) {
      const auto byte = static_cast<unsigned char>(character);
      auto& children = nodes_[at].children;
      const auto place = std::lower_bound(children.begin(), children.end(), std::pair{byte, std::uint32_t{0}});
      if (place != children.end() && place->first == byte) {
        at = place->second;
      } else {
        const auto created = static_cast<std::uint32_t>(nodes_.size());
        children.insert(place, {byte, created});
        nodes_.emplace_back();
        at = created;
      }
    }
    if (nodes_[at].pattern < 0) nodes_[at].pattern = static_cast<std::int32_t>(i);
  }
  for (const auto& [byte, node] : nodes_[0].children) starts_[byte] = true;
  if (nodes_[0].children.size() == 1) only_start_ = nodes_[0].children.front().first;
}

const AddedTokenFinder::Node* AddedTokenFinder::child(const Node& node, char byte) const {
  const std::pair key{static_cast<unsigned char>(byte), std::uint32_t{0}};
  const auto found = std::lower_bound(node.children.begin(), node.children.end(), key);
  return found != node.children.end() && found->first == key.first ? &nodes_[found->second] : nullptr;
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
  std::size_t done = 0;  // what comes before is in segments
  std::size_t at = 0;
  while (nodes_.size() > 1 && at < text.size()) {
    at = next_start(text, at);
    std::int32_t longest = -1;
    std::size_t end = at;
    const Node* node = nodes_.data();
    for (std::size_t i = at; i < text.size() && (node = child(*node, text[i])) != nullptr; ++i) {
      if (node->pattern >= 0) {
        longest = node->pattern;
        end = i + 1;
      }
    }
    if (longest < 0) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    at = end;
    const AddedToken& token = patterns_[static_cast<std::size_t>(longest)].token;
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
