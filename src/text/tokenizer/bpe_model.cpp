#include "text/tokenizer/bpe_model.h"

#include <stdexcept>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

class BpeModel final : public TokenModel {
 public:
  BpeModel(std::vector<Vocabulary::Entry> vocabulary, const MergeTexts& merges, BpeOptions options, bool byte_level,
           const std::string& name)
      : vocabulary_(std::move(vocabulary), name),
        options_(std::move(options)),
        byte_level_(byte_level),
        merge_list_(resolve(merges, name)),
        merges_(merge_list_) {
    if (options_.unk_token) {
      const auto id = vocabulary_.id(*options_.unk_token);
      if (!id)
        throw DataError(tokenizer_subject(name) + ": unk_token must be in the vocabulary, got " +
                        in_quotes(*options_.unk_token));
      unknown_ = *id;
    }
    bool every_byte = true;
    for (unsigned b = 0; b < 256; ++b) {
      byte_symbols_[b] = vocabulary_.id(printable_byte(static_cast<unsigned char>(b))).value_or(kNoToken);
      every_byte = every_byte && byte_symbols_[b] != kNoToken;
    }
    knows_every_byte_ = byte_level && every_byte && prefix().empty() && suffix().empty();
    bytes_are_symbols_ = knows_every_byte_ && !options_.ignore_merges;
  }

  void append_ids(std::string_view word, ModelWorkspace& workspace, std::vector<std::int32_t>& ids) const override {
    auto& symbols = workspace.symbols;
    symbols.clear();
    if (bytes_are_symbols_) {
      for (const char b : word) symbols.push_back(byte_symbols_[static_cast<unsigned char>(b)]);
    } else {
      const std::string printable = byte_level_ ? printable_bytes(word) : std::string();
      const std::string_view text = byte_level_ ? printable : word;
      if (options_.ignore_merges && workspace.dropout == nullptr) {
        if (const auto id = vocabulary_.id(text)) {
          ids.push_back(*id);
          return;
        }
      }
      append_symbols(text, symbols);
    }
    if (workspace.dropout != nullptr) {
      merges_.apply(symbols, workspace.bpe, *workspace.dropout);
    } else {
      merges_.apply(symbols, workspace.bpe);
    }
    ids.insert(ids.end(), symbols.begin(), symbols.end());
  }

  bool worth_caching() const override { return merges_.size() != 0; }
  bool cuts_anywhere() const override {
    return merges_.size() == 0 && prefix().empty() && suffix().empty() && !options_.fuse_unk && !options_.ignore_merges;
  }
  std::int32_t size() const override { return vocabulary_.size(); }
  bool has(std::int32_t id) const override { return vocabulary_.contains(id); }
  std::string_view token_text(std::int32_t id) const override { return vocabulary_.text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const override { return vocabulary_.id(text); }
  std::optional<std::size_t> covered_bytes(std::int32_t id, bool begins_word) const override {
    if (id == unknown_) return std::nullopt;
    std::string_view text = vocabulary_.text(id);
    if (byte_level_) {
      const auto bytes = bytes_of_printable(text);
      return bytes ? std::optional(bytes->size()) : std::nullopt;
    }
    if (!begins_word && text.starts_with(prefix())) text.remove_prefix(prefix().size());
    if (text.ends_with(suffix())) text.remove_suffix(suffix().size());
    return text.size();
  }
  bool knows_every_byte() const override { return knows_every_byte_; }
  std::size_t merge_count() const override { return merges_.size(); }

  std::string kind() const override {
    if (byte_level_) return merges_.size() == 0 ? "bytes" : "byte-level BPE";
    return options_.end_of_word_suffix ? "word-level BPE with " + *options_.end_of_word_suffix : "character-level BPE";
  }

  std::string to_json() const override {
    const auto optional = [](const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); };
    Json head = {{"type", "BPE"},
                 {"dropout", nullptr},
                 {"unk_token", optional(options_.unk_token)},
                 {"continuing_subword_prefix", optional(options_.continuing_subword_prefix)},
                 {"end_of_word_suffix", optional(options_.end_of_word_suffix)},
                 {"fuse_unk", options_.fuse_unk},
                 {"byte_fallback", options_.byte_fallback},
                 {"ignore_merges", options_.ignore_merges}};
    std::string out = dump_compact(head);
    out.back() = ',';  // the closing brace
    out += "\n\"vocab\": " + vocabulary_object(vocabulary_);
    out += ",\n\"merges\": [";
    for (std::size_t i = 0; i < merge_list_.size(); ++i) {
      const auto& merge = merge_list_[i];
      out += i == 0 ? "\n" : ",\n";
      out += '[' + quoted(merge.left) + ',' + quoted(merge.right) + ']';
    }
    return out + "]}";
  }

  const Vocabulary& vocabulary() const { return vocabulary_; }

  std::string merges_as_text() const {
    std::string out = "#version: 0.2\n";
    for (const auto& merge : merge_list_) {
      out += vocabulary_.text(merge.left);
      out += ' ';
      out += vocabulary_.text(merge.right);
      out += '\n';
    }
    return out;
  }

 private:
  std::string_view prefix() const {
    return options_.continuing_subword_prefix ? std::string_view(*options_.continuing_subword_prefix) : "";
  }
  std::string_view suffix() const {
    return options_.end_of_word_suffix ? std::string_view(*options_.end_of_word_suffix) : "";
  }
  std::string quoted(std::int32_t id) const { return dump_compact(Json(std::string(vocabulary_.text(id)))); }

  std::vector<BpeMerge> resolve(const MergeTexts& merges, const std::string& name) const {
    if (merges.size() > kMaxVocabulary) {
      throw DataError(tokenizer_subject(name) + " must have at most " + std::to_string(kMaxVocabulary) +
                      " merges, got " + std::to_string(merges.size()));
    }
    std::vector<BpeMerge> out;
    out.reserve(merges.size());
    std::string result;
    const auto id_of = [&](const std::string& text) {
      const auto id = vocabulary_.id(text);
      if (id) return *id;
      const auto& [left, right] = merges[out.size()];
      throw DataError(tokenizer_subject(name) + ": merge " + std::to_string(out.size()) + " (" + in_quotes(left) +
                      " + " + in_quotes(right) + ") must have its parts and result in the vocabulary, which lacks " +
                      in_quotes(text));
    };
    for (const auto& [left, right] : merges) {
      const std::int32_t left_id = id_of(left), right_id = id_of(right);
      if (right.size() < prefix().size()) {
        throw DataError(tokenizer_subject(name) + ": merge " + std::to_string(out.size()) +
                        ": the right part must begin with the continuing_subword_prefix " + in_quotes(prefix()) +
                        ", got " + in_quotes(right));
      }
      result = left;
      result += std::string_view(right).substr(prefix().size());
      out.push_back({left_id, right_id, id_of(result)});
    }
    return out;
  }

  // A word's characters as symbols. Unknown characters are handled like in Hugging Face's BPE::merge_word, step by
  // step.
  void append_symbols(std::string_view word, std::vector<std::int32_t>& symbols) const {
    std::string symbol;
    bool unknown_waits = false;
    const char* p = word.data();
    const char* const end = p + word.size();
    while (p < end) {
      const Utf8Character c = read_utf8(p, end);
      symbol = p == word.data() ? "" : std::string(prefix());
      symbol += c.valid ? std::string_view(p, c.length) : std::string_view("\xEF\xBF\xBD");
      p += c.length;
      if (p == end) symbol += suffix();
      if (const auto id = vocabulary_.id(symbol)) {
        if (unknown_waits) symbols.push_back(unknown_);
        unknown_waits = false;
        symbols.push_back(*id);
      } else if (!options_.byte_fallback || !append_as_bytes(symbol, symbols)) {
        if (unknown_ == kNoToken) continue;
        if (unknown_waits && !options_.fuse_unk) symbols.push_back(unknown_);
        unknown_waits = true;
      }
    }
    if (unknown_waits) symbols.push_back(unknown_);
  }

  bool append_as_bytes(std::string_view symbol, std::vector<std::int32_t>& symbols) const {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const std::size_t before = symbols.size();
    for (const char character : symbol) {
      const auto b = static_cast<unsigned char>(character);
      const char name[] = {'<', '0', 'x', kDigits[b >> 4], kDigits[b & 15], '>'};
      const auto id = vocabulary_.id({name, sizeof name});
      if (!id) {
        symbols.resize(before);
        return false;
      }
      symbols.push_back(*id);
    }
    return true;
  }

  Vocabulary vocabulary_;
  BpeOptions options_;
  bool byte_level_;
  std::vector<BpeMerge> merge_list_;
  BpeMerges merges_;
  std::int32_t unknown_ = kNoToken;
  bool knows_every_byte_ = false;
  bool bytes_are_symbols_ = false;
  std::array<std::int32_t, 256> byte_symbols_{};
};

MergeTexts parse_merges(const Json& list, const std::string& name) {
  MergeTexts merges;
  merges.reserve(list.size());
  for (const Json& item : list) {
    if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      merges.emplace_back(item[0].get<std::string>(), item[1].get<std::string>());
      continue;
    }
    if (item.is_string()) {
      const auto& text = item.get_ref<const std::string&>();
      if (merges.empty() && text.starts_with("#version")) continue;
      const std::size_t space = text.find(' ');
      if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
        merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        continue;
      }
    }
    throw DataError(tokenizer_subject(name) + ": merge " + std::to_string(merges.size()) +
                    R"( must be a pair ["a", "b"] or a string "a b", got )" + describe(item));
  }
  return merges;
}

const BpeModel& as_bpe(const TokenModel& model) {
  const auto* bpe = dynamic_cast<const BpeModel*>(&model);
  if (bpe == nullptr) {
    throw std::invalid_argument("tokenizer: only a BPE has vocab.json and merges.txt, got " + model.kind());
  }
  return *bpe;
}

}  // namespace

std::unique_ptr<TokenModel> make_bpe_model(std::vector<Vocabulary::Entry> vocabulary, const MergeTexts& merges,
                                           const BpeOptions& options, bool byte_level, const std::string& name) {
  return std::make_unique<BpeModel>(std::move(vocabulary), merges, options, byte_level, name);
}

std::unique_ptr<TokenModel> bpe_model_from_json(const Json& json, bool byte_level, const std::string& name) {
  const JsonFields fields(json, name, "model");
  if (const double dropout = fields.number_or("dropout", 0.0); dropout != 0.0) {
    throw DataError(tokenizer_subject(name) +
                    ": model.dropout must be null or 0 (the same text would get other ids each time), got " +
                    describe(fields.at("dropout")) + "; set it to null");
  }
  const auto optional = [&fields](const char* key) {
    return fields.has_value(key) ? std::optional(fields.string(key)) : std::nullopt;
  };
  BpeOptions options{.unk_token = optional("unk_token"),
                     .continuing_subword_prefix = optional("continuing_subword_prefix"),
                     .end_of_word_suffix = optional("end_of_word_suffix"),
                     .fuse_unk = fields.boolean_or("fuse_unk", false),
                     .byte_fallback = fields.boolean_or("byte_fallback", false),
                     .ignore_merges = fields.boolean_or("ignore_merges", false)};
  return make_bpe_model(parse_vocabulary(fields.at("vocab"), name, "model.vocab"),
                        parse_merges(fields.array("merges"), name), options, byte_level, name);
}

std::string vocabulary_json(const TokenModel& model) { return vocabulary_object(as_bpe(model).vocabulary()) + "\n"; }

std::string merges_text(const TokenModel& model) { return as_bpe(model).merges_as_text(); }

MergeTexts parse_merges_text(std::string_view text, const std::string& name) {
  require_utf8(text, name);
  MergeTexts merges;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (line_number == 1 && line.starts_with("#version"))) continue;
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string_view::npos) {
      throw DataError(tokenizer_subject(name) + ": line " + std::to_string(line_number) +
                      " must be two tokens with a space between them, got " + in_quotes(line));
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

}  // namespace rapt
