#include "text/tokenizer/normalizer_rules.h"

#include <optional>
#include <utility>
#include <vector>

#include "io/base64.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/chars_map.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/text_pattern.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

class Replace final : public Normalizer {
 public:
  Replace(TextPattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  std::string normalize(std::string_view text) const override { return pattern_.replace_all(text, content_); }
  // An earlier step may have inserted white space on both sides of a split.
  bool may_cut() const override { return !pattern_.matches_white_space(); }
  Json to_json() const override {
    return {{"type", "Replace"}, {"pattern", pattern_.to_json()}, {"content", content_}};
  }

 private:
  TextPattern pattern_;
  std::string content_;
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  std::string normalize(std::string_view text) const override {
    while (left_ && !text.empty()) {
      const Utf8Character c = read_utf8(text.data(), text.data() + text.size());
      if ((character_class(c.code) & kSpace) == 0) break;
      text.remove_prefix(c.length);
    }
    while (right_ && !text.empty()) {
      const Utf8Character c = read_last_utf8(text);
      if ((character_class(c.code) & kSpace) == 0) break;
      text.remove_suffix(c.length);
    }
    return std::string(text);
  }
  bool may_cut() const override { return false; }
  Json to_json() const override { return {{"type", "Strip"}, {"strip_left", left_}, {"strip_right", right_}}; }

 private:
  bool left_, right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string normalize(std::string_view text) const override {
    return text.empty() ? std::string() : prefix_ + std::string(text);
  }
  bool may_cut() const override { return false; }
  Json to_json() const override { return {{"type", "Prepend"}, {"prepend", prefix_}}; }

 private:
  std::string prefix_;
};

// The character rules of SentencePiece's normalisation "nmt".
class Nmt final : public Normalizer {
 public:
  std::string normalize(std::string_view text) const override {
    std::string out;
    out.reserve(text.size());
    for_each_character(text, [&out](char32_t c, std::string_view bytes) {
      const bool dropped =
          (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
      const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
                         c == kReplacementCharacter;
      if (!dropped) out += space ? " " : bytes;
    });
    return out;
  }
  Json to_json() const override { return {{"type", "Nmt"}}; }
};

class Precompiled final : public Normalizer {
 public:
  Precompiled(std::string table, const std::string& name) : table_(std::move(table), name) {}

  std::string normalize(std::string_view text) const override {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
      const std::string_view cluster = text.substr(0, grapheme_length(text));
      text.remove_prefix(cluster.size());
      const CharsMap::Match match = cluster.size() < 6 ? table_.shortest_match(cluster) : CharsMap::Match{};
      if (match.length != 0) {
        out += match.replacement;
        continue;
      }
      for_each_character(cluster, [&](char32_t, std::string_view bytes) {
        const CharsMap::Match by_itself = table_.shortest_match(bytes);
        out += by_itself.length != 0 ? by_itself.replacement : bytes;
      });
    }
    return out;
  }
  Json to_json() const override {
    return {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(table_.bytes())}};
  }

 private:
  CharsMap table_;
};

class PrecompiledLongest final : public Normalizer {
 public:
  PrecompiledLongest(std::string table, std::vector<std::string> user_defined, const std::string& name)
      : table_(std::move(table), name), user_defined_(std::move(user_defined)) {
    std::vector<ByteTrie::Entry> entries;
    for (const std::string& text : user_defined_) entries.push_back({text, 0});
    kept_ = ByteTrie(std::move(entries));
  }

  std::string normalize(std::string_view text) const override {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
      const Utf8Character c = read_utf8(text.data(), text.data() + text.size());
      std::size_t length = kept_.longest_match(text).length;
      if (length != 0) {
        out += text.substr(0, length);
      } else if (const CharsMap::Match match = table_.longest_match(text); match.length != 0) {
        length = match.length;
        out += match.replacement;
      } else {
        length = c.length;
        out += c.valid ? text.substr(0, length) : "\xEF\xBF\xBD";
      }
      text.remove_prefix(length);
    }
    return out;
  }
  // A rule may contain white space, and may produce some.
  bool may_cut() const override { return false; }
  Json to_json() const override {
    Json json = {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(table_.bytes())}, {"longest_match", true}};
    if (!user_defined_.empty()) json["user_defined"] = user_defined_;
    return json;
  }

 private:
  CharsMap table_;
  std::vector<std::string> user_defined_;
  ByteTrie kept_;
};

std::unique_ptr<Normalizer> precompiled_from_json(const JsonFields& fields) {
  auto table = from_base64(fields.string("precompiled_charsmap"));
  if (!table) fields.refuse("precompiled_charsmap", "base64");
  if (!fields.boolean_or("longest_match", false)) {
    return std::make_unique<Precompiled>(std::move(*table), fields.name());
  }
  auto user_defined = fields.has_value("user_defined") ? fields.strings("user_defined") : std::vector<std::string>();
  return std::make_unique<PrecompiledLongest>(std::move(*table), std::move(user_defined), fields.name());
}

}  // namespace

std::unique_ptr<Normalizer> normalizer_rule_from_json(const std::string& type, const JsonFields& fields) {
  if (type == "Replace") {
    return std::make_unique<Replace>(TextPattern(fields.object("pattern")), fields.string("content"));
  }
  if (type == "Strip") {
    return std::make_unique<Strip>(fields.boolean_or("strip_left", true), fields.boolean_or("strip_right", true));
  }
  if (type == "Prepend") return std::make_unique<Prepend>(fields.string("prepend"));
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Precompiled") return precompiled_from_json(fields);
  return nullptr;
}

}  // namespace rapt
