#include "text/tokenizer/text_pattern.h"

#include <charconv>

#include "text/tokenizer/pre_tokenizer.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

static std::size_t character_length(std::string_view text) {
  return read_utf8(text.data(), text.data() + text.size()).length;
}

TextPattern::TextPattern(const JsonFields& fields) {
  is_expression_ = fields.has("Regex");
  source_ = fields.string(is_expression_ ? "Regex" : "String");
  if (is_expression_) {
    parse(fields);
  } else {
    unit_ = source_;
    if (unit_.empty()) fields.refuse("String", "a text that is not empty");
  }
}

void TextPattern::parse(const JsonFields& fields) {
  const auto refuse = [&fields] {
    fields.refuse("Regex", R"(a text, or one character or \s with +, {n} or {n,}, with \A in front or \z behind)");
  };
  std::string_view rest = source_;
  if (rest.starts_with("\\A")) {
    at_begin_ = true;
    rest.remove_prefix(2);
  }
  if (rest.ends_with("\\z")) {
    at_end_ = true;
    rest.remove_suffix(2);
  }
  std::size_t units = 0;
  for (; !rest.empty(); ++units) {
    constexpr std::string_view kSpecial = ".[](){}*+?|^$/\\";
    const char c = rest[0];
    if (c == '+' || c == '{') break;
    if (c == '\\') {
      const char escaped = rest.size() > 1 ? rest[1] : '\0';
      constexpr std::string_view kNames = "tnr", kMeant = "\t\n\r";
      if (const auto at = kNames.find(escaped); at != std::string_view::npos) {
        unit_ += kMeant[at];
      } else if (escaped != '\0' && kSpecial.find(escaped) != std::string_view::npos) {
        unit_ += escaped;
      } else if (escaped != 's' || units != 0 || (rest.size() > 2 && rest[2] != '+' && rest[2] != '{')) {
        refuse();
      }
      rest.remove_prefix(2);
    } else {
      if (kSpecial.find(c) != std::string_view::npos) refuse();
      const std::size_t length = character_length(rest);
      unit_ += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  if (units == 0) refuse();
  if (rest.empty()) return;
  if (units != 1) refuse();
  most_ = kAnyNumber;
  if (rest == "+") return;
  const char* const end = rest.data() + rest.size();
  const auto [behind, error] = std::from_chars(rest.data() + 1, end, least_);
  const std::string_view closing(behind, static_cast<std::size_t>(end - behind));
  if (error != std::errc() || least_ == 0 || (closing != "}" && closing != ",}")) refuse();
  if (closing == "}") most_ = least_;
}

std::size_t TextPattern::unit_length(std::string_view text) const {
  if (!unit_.empty()) return text.starts_with(unit_) ? unit_.size() : 0;
  if (text.empty()) return 0;
  const Utf8Character c = read_utf8(text.data(), text.data() + text.size());
  return (character_class(c.code) & kSpace) != 0 ? c.length : 0;
}

TextPattern::Match TextPattern::find(std::string_view text, std::size_t from) const {
  std::size_t at = from;
  while (at < text.size() && !(at_begin_ && at != 0)) {
    if (!unit_.empty() && (at = text.find(unit_, at)) == std::string_view::npos) break;
    std::size_t end = at, count = 0;
    for (std::size_t length = 0; count < most_ && (length = unit_length(text.substr(end))) != 0; ++count) end += length;
    if (count >= least_ && (!at_end_ || end == text.size())) {
      if (at_begin_ && at != 0) break;
      return {at, end - at};
    }
    // In a run that is too short, or does not reach the end, no later match starts either.
    at = count > 0 && most_ == kAnyNumber ? end : at + character_length(text.substr(at));
  }
  return {};
}

std::string TextPattern::replace_all(std::string_view text, std::string_view content) const {
  std::string out;
  std::size_t done = 0;
  for (Match match = find(text, 0); match.begin < text.size(); match = find(text, done)) {
    out += text.substr(done, match.begin - done);
    out += content;
    done = match.begin + match.length;
  }
  out += text.substr(done);
  return out;
}

bool TextPattern::matches_white_space() const { return unit_.empty() || has_white_space(unit_); }

bool TextPattern::is_one_character() const {
  return !unit_.empty() && most_ == 1 && character_length(unit_) == unit_.size();
}

Json TextPattern::to_json() const { return {{is_expression_ ? "Regex" : "String", source_}}; }

}  // namespace rapt
