#include "text/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/gpt2_split.h"
#include "text/tokenizer/vocabulary.h"
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

// GPT-2's words, or whole texts, as bytes. `trim_offsets` affects how positions are reported, which rapt does not do.
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

// Words between white space; each punctuation mark is a separate word (BERT's BasicTokenizer).
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

// Words between white space or, with Hugging Face's pattern "Whitespace" (`\w+|[^\w\s]+`), runs of word characters and
// of others.
class WhitespaceSplit final : public PreTokenizer {
 public:
  explicit WhitespaceSplit(bool splits_words) : splits_words_(splits_words) {}
  std::string_view next_word(std::string_view& rest) const override {
    const char* p = rest.data();
    const char* const end = p + rest.size();
    const char* start = nullptr;
    bool is_word = false;
    for (; p < end;) {
      const Utf8Character c = read_utf8(p, end);
      const std::uint8_t kind = character_class(c.code);
      const bool space = (kind & kSpace) != 0, word = (kind & kWordCharacter) != 0;
      if (start != nullptr && (space || (splits_words_ && word != is_word))) break;
      if (start == nullptr && !space) {
        start = p;
        is_word = word;
      }
      p += c.length;
    }
    rest = {p, static_cast<std::size_t>(end - p)};
    return start == nullptr ? std::string_view() : std::string_view(start, static_cast<std::size_t>(p - start));
  }
  bool cuts_at_spaces() const override { return true; }
  Json to_json() const override { return {{"type", splits_words_ ? "Whitespace" : "WhitespaceSplit"}}; }

 private:
  bool splits_words_;
};

class Rewriting : public PreTokenizer {
 public:
  std::string_view next_word(std::string_view& rest) const final { return rest = {}; }
  bool rewrites() const final { return true; }
};

// SentencePiece's words: spaces become a visible character, with which each word starts.
class Metaspace final : public Rewriting {
 public:
  enum class Prepend { kAlways, kFirst, kNever };
  Metaspace(std::string replacement, Prepend prepend, bool split)
      : replacement_(std::move(replacement)), prepend_(prepend), split_(split) {}

  void append_words(std::string_view text, bool begins_text, WordList& list) const override {
    if (text.empty()) return;
    const auto begin_word = [&list](std::size_t at) {
      if (!list.words.empty()) list.words.back().end = list.bytes.size();
      list.words.push_back({list.bytes.size(), 0, {at, at}});
    };
    begin_word(0);
    const bool has_one = text[0] == ' ' || text.starts_with(replacement_);
    if (!has_one && (prepend_ == Prepend::kAlways || (prepend_ == Prepend::kFirst && begins_text))) {
      list.bytes += replacement_;
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view rest = text.substr(at);
      const bool is_mark = rest[0] == ' ' || rest.starts_with(replacement_);
      const std::size_t length = rest[0] == ' ' ? 1
                                 : is_mark      ? replacement_.size()
                                                : read_utf8(rest.data(), rest.data() + rest.size()).length;
      if (is_mark && at > 0) {
        if (split_) begin_word(at);
        list.words.back().source.aligned = split_;
      }
      list.bytes += is_mark ? std::string_view(replacement_) : rest.substr(0, length);
      at += length;
      list.words.back().source.end = at;
    }
    list.words.back().end = list.bytes.size();
  }
  bool cuts_at_spaces() const override { return split_; }
  std::string_view spaces_to_cut_at() const override { return " "; }
  Json to_json() const override {
    return {{"type", "Metaspace"},
            {"replacement", replacement_},
            {"prepend_scheme", prepend_ == Prepend::kAlways  ? "always"
                               : prepend_ == Prepend::kFirst ? "first"
                                                             : "never"},
            {"split", split_}};
  }

 private:
  std::string replacement_;
  Prepend prepend_;
  bool split_;
};

// Each step splits the words of the previous one.
class PreTokenizerSequence final : public Rewriting {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}

  void append_words(std::string_view text, bool begins_text, WordList& list) const override {
    WordList words, next;
    words.bytes = text;
    words.words.push_back({0, text.size(), {0, text.size()}});
    for (const auto& step : steps_) {
      next.clear();
      for (const WordList::Word& word : words.words) {
        const std::size_t first = next.words.size();
        step->append_words(words.text(word), begins_text && word.source.begin == 0, next);
        for (std::size_t i = first; i < next.words.size(); ++i) {
          WordList::Source& source = next.words[i].source;
          const bool aligned = source.aligned;
          source = WordList::source_of(word.source, word.end - word.begin, source.begin, source.end);
          source.aligned = source.aligned && aligned;
        }
      }
      std::swap(words, next);
    }
    const std::size_t before = list.bytes.size();
    list.bytes += words.bytes;
    for (WordList::Word& word : words.words) {
      word.begin += before;
      word.end += before;
      list.words.push_back(word);
    }
  }
  bool cuts_at_spaces() const override { return !steps_.empty() && steps_[0]->cuts_at_spaces(); }
  std::string_view spaces_to_cut_at() const override { return steps_.empty() ? "" : steps_[0]->spaces_to_cut_at(); }
  Json to_json() const override {
    Json steps = Json::array();
    for (const auto& step : steps_) steps.push_back(step->to_json());
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

std::unique_ptr<PreTokenizer> metaspace_from_json(const JsonFields& fields) {
  std::string replacement = fields.string_or("replacement", "\xE2\x96\x81");
  const bool is_character =
      !replacement.empty() &&
      read_utf8(replacement.data(), replacement.data() + replacement.size()).length == replacement.size();
  if (!is_character) fields.refuse("replacement", "one character");
  // Files from before 2024 have add_prefix_space.
  const std::string scheme =
      fields.string_or("prepend_scheme", fields.boolean_or("add_prefix_space", true) ? "always" : "never");
  Metaspace::Prepend prepend = Metaspace::Prepend::kAlways;
  if (scheme == "first") {
    prepend = Metaspace::Prepend::kFirst;
  } else if (scheme == "never") {
    prepend = Metaspace::Prepend::kNever;
  } else if (scheme != "always") {
    fields.refuse("prepend_scheme", "\"always\", \"first\" or \"never\"");
  }
  return std::make_unique<Metaspace>(std::move(replacement), prepend, fields.boolean_or("split", true));
}

std::unique_ptr<PreTokenizer> sequence_from_json(const JsonFields& fields, const std::string& name) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const Json& step : fields.array("pretokenizers")) {
    steps.push_back(pre_tokenizer_from_json(step, name));
    if (steps.back()->byte_level()) {
      throw DataError(
          tokenizer_subject(name) +
          ": pre_tokenizer.pretokenizers must be without ByteLevel, got one; ByteLevel must be the only pre-tokenizer");
    }
  }
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

}  // namespace

WordList::Source WordList::source_of(const Source& source, std::size_t word_size, std::size_t begin, std::size_t end) {
  if (!source.aligned) return source;
  const std::size_t put_before = word_size - std::min(word_size, source.end - source.begin);
  const auto in_text = [&](std::size_t at) { return source.begin + at - std::min(at, put_before); };
  return {in_text(begin), in_text(end)};
}

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
  if (type == "Whitespace" || type == "WhitespaceSplit") return std::make_unique<WhitespaceSplit>(type == "Whitespace");
  if (type == "Metaspace") return metaspace_from_json(fields);
  if (type == "Sequence") return sequence_from_json(fields, name);
  throw DataError(tokenizer_subject(name) +
                  ": pre_tokenizer must be ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Metaspace or a "
                  "Sequence of them, got " +
                  in_quotes(type));
}

}  // namespace rapt
