#include "text/pre_tokenizer.h"

#include <algorithm>
#include <cstdint>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/gpt2_split.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

std::string_view take(std::string_view& rest, std::size_t length) {
  const std::string_view word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

class WholeText final : public PreTokenizer {
 public:
  std::string_view next_word(std::string_view& rest) const override { return take(rest, rest.size()); }
  bool cuts_at_spaces() const override { return false; }
  Json to_json() const override { return nullptr; }
};

// GPT-2's words, or whole texts, as bytes. `trim_offsets` says how positions are reported, which rapt does not.
class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool trim_offsets, bool use_regex)
      : add_prefix_space_(add_prefix_space), trim_offsets_(trim_offsets), use_regex_(use_regex) {}

  std::string_view next_word(std::string_view& rest) const override {
    if (rest.empty()) return {};
    return take(rest, use_regex_ ? gpt2_word_length(rest) : rest.size());
  }
  bool byte_level() const override { return true; }
  bool adds_prefix_space() const override { return add_prefix_space_; }
  bool cuts_at_spaces() const override { return use_regex_; }
  Json to_json() const override {
    return {{"type", "ByteLevel"},
            {"add_prefix_space", add_prefix_space_},
            {"trim_offsets", trim_offsets_},
            {"use_regex", use_regex_}};
  }

 private:
  bool add_prefix_space_, trim_offsets_, use_regex_;
};

// Words between white space, each punctuation mark a word of its own (BERT's BasicTokenizer).
class BertPreTokenizer final : public PreTokenizer {
 public:
  std::string_view next_word(std::string_view& rest) const override {
    const char* p = rest.data();
    const char* const end = p + rest.size();
    const char* start = nullptr;
    while (p < end) {
      const Utf8Character c = read_utf8(p, end);
      const std::uint8_t kind = character_class(c.code);
      const bool ends = (kind & (kSpace | kPunctuation)) != 0;
      if (start != nullptr && ends) break;
      p += c.length;
      if (start == nullptr && (kind & kSpace) == 0) start = p - c.length;
      if ((kind & kPunctuation) != 0) break;
    }
    rest = {p, static_cast<std::size_t>(end - p)};
    return start == nullptr ? std::string_view() : std::string_view(start, static_cast<std::size_t>(p - start));
  }
  bool cuts_at_spaces() const override { return true; }
  Json to_json() const override { return {{"type", "BertPreTokenizer"}}; }
};

}  // namespace

void PreTokenizer::append_words(std::string_view text, bool, WordList& list) const {
  std::string_view rest = text;
  for (std::string_view word; !(word = next_word(rest)).empty();) {
    const auto from = static_cast<std::size_t>(word.data() - text.data());
    list.words.push_back({list.bytes.size(), list.bytes.size() + word.size(), {from, from + word.size()}});
    list.bytes += word;
  }
}

std::vector<std::size_t> cuts_before_spaces(std::string_view text, std::size_t bytes, std::string_view spaces) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = std::max<std::size_t>(bytes, 1); at < text.size();) {
    at = text.find_first_of(spaces, at);
    if (at == std::string_view::npos) break;
    if ((character_class(read_last_utf8(text.substr(0, at)).code) & kSpace) != 0) {
      ++at;
      continue;
    }
    cuts.push_back(at);
    at += std::max<std::size_t>(bytes, 1);
  }
  return cuts;
}

bool has_white_space(std::string_view text) {
  for (const char* p = text.data(); p < text.data() + text.size();) {
    const Utf8Character c = read_utf8(p, text.data() + text.size());
    if ((character_class(c.code) & kSpace) != 0) return true;
    p += c.length;
  }
  return false;
}

std::unique_ptr<PreTokenizer> pre_tokenizer_from_json(const Json& json, const std::string& name) {
  if (json.is_null()) return std::make_unique<WholeText>();
  const JsonFields fields(json, name, "pre_tokenizer");
  const std::string type = fields.string("type");
  if (type == "ByteLevel") {
    return std::make_unique<ByteLevel>(fields.boolean_or("add_prefix_space", true),
                                       fields.boolean_or("trim_offsets", true), fields.boolean_or("use_regex", true));
  }
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  throw DataError("tokenizer: " + escape_for_terminal(name) +
                  ": pre_tokenizer must be ByteLevel or BertPreTokenizer, got " + in_quotes(type));
}

}  // namespace rapt
