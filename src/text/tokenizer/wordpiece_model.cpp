#include "text/tokenizer/wordpiece_model.h"

#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

class WordPieceModel final : public TokenModel {
 public:
  WordPieceModel(std::vector<Vocabulary::Entry> vocabulary, WordPieceOptions options, const std::string& name)
      : vocabulary_(std::move(vocabulary), name), options_(std::move(options)) {
    const auto unknown = vocabulary_.id(options_.unk_token);
    if (!unknown) {
      throw DataError(tokenizer_subject(name) + ": unk_token must be in the vocabulary, got " +
                      in_quotes(options_.unk_token));
    }
    unknown_ = *unknown;
    const std::string_view prefix = options_.continuing_subword_prefix;
    std::vector<ByteTrie::Entry> first, inner;
    for (std::int32_t id = 0; id < vocabulary_.size(); ++id) {
      const std::string_view text = vocabulary_.text(id);
      first.push_back({text, id});
      if (text.starts_with(prefix)) inner.push_back({text.substr(prefix.size()), id});
    }
    first_ = ByteTrie(std::move(first));
    inner_ = ByteTrie(std::move(inner));
  }

  void append_ids(std::string_view word, ModelWorkspace&, std::vector<std::int32_t>& ids) const override {
    const std::size_t before = ids.size();
    bool known = !has_more_characters(word, options_.max_input_chars_per_word);
    const ByteTrie* tokens = &first_;
    for (std::string_view rest = word; known && !rest.empty(); tokens = &inner_) {
      const ByteTrie::Match match = tokens->longest_match(rest);
      known = match.length != 0;
      ids.push_back(match.value);
      rest.remove_prefix(match.length);
    }
    if (known) return;
    ids.resize(before);
    ids.push_back(unknown_);
  }

  bool worth_caching() const override { return true; }
  bool cuts_anywhere() const override { return false; }
  std::int32_t size() const override { return vocabulary_.size(); }
  bool has(std::int32_t id) const override { return vocabulary_.contains(id); }
  std::string_view token_text(std::int32_t id) const override { return vocabulary_.text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const override { return vocabulary_.id(text); }
  std::optional<std::size_t> covered_bytes(std::int32_t id, bool begins_word) const override {
    if (id == unknown_) return std::nullopt;
    return vocabulary_.text(id).size() - (begins_word ? 0 : options_.continuing_subword_prefix.size());
  }
  std::string kind() const override { return "WordPiece"; }

  std::string to_json() const override {
    const Json head = {{"type", "WordPiece"},
                       {"unk_token", options_.unk_token},
                       {"continuing_subword_prefix", options_.continuing_subword_prefix},
                       {"max_input_chars_per_word", options_.max_input_chars_per_word}};
    std::string out = dump_compact(head);
    out.back() = ',';  // the closing brace
    return out + "\n\"vocab\": " + vocabulary_object(vocabulary_) + "}";
  }

 private:
  Vocabulary vocabulary_;
  WordPieceOptions options_;
  std::int32_t unknown_ = 0;
  ByteTrie first_, inner_;  // the tokens with which a word may start, and continue
};

}  // namespace

std::unique_ptr<TokenModel> make_wordpiece_model(std::vector<Vocabulary::Entry> vocabulary,
                                                 const WordPieceOptions& options, const std::string& name) {
  return std::make_unique<WordPieceModel>(std::move(vocabulary), options, name);
}

std::unique_ptr<TokenModel> wordpiece_model_from_json(const Json& json, const std::string& name) {
  const JsonFields fields(json, name, "model");
  WordPieceOptions options;
  options.unk_token = fields.string_or("unk_token", options.unk_token);
  options.continuing_subword_prefix = fields.string_or("continuing_subword_prefix", options.continuing_subword_prefix);
  options.max_input_chars_per_word =
      static_cast<std::size_t>(fields.positive_integer_or("max_input_chars_per_word", 100));
  return make_wordpiece_model(parse_vocabulary(fields.at("vocab"), name, "model.vocab"), options, name);
}

bool is_wordpiece(const TokenModel& model) { return dynamic_cast<const WordPieceModel*>(&model) != nullptr; }

}  // namespace rapt
