#include "text/tokenizer/word_level_model.h"

#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

namespace {

class WordLevelModel final : public TokenModel {
 public:
  WordLevelModel(std::vector<Vocabulary::Entry> vocabulary, std::string unk_token, const std::string& name)
      : vocabulary_(std::move(vocabulary), name), unk_token_(std::move(unk_token)) {
    const auto unknown = vocabulary_.id(unk_token_);
    if (!unknown) {
      throw DataError(tokenizer_subject(name) + ": unk_token must be in the vocabulary, got " + in_quotes(unk_token_));
    }
    unknown_ = *unknown;
  }

  void append_ids(std::string_view word, ModelWorkspace&, std::vector<std::int32_t>& ids) const override {
    ids.push_back(vocabulary_.id(word).value_or(unknown_));
  }

  bool worth_caching() const override { return false; }
  bool cuts_anywhere() const override { return false; }
  std::int32_t size() const override { return vocabulary_.size(); }
  bool has(std::int32_t id) const override { return vocabulary_.contains(id); }
  std::string_view token_text(std::int32_t id) const override { return vocabulary_.text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const override { return vocabulary_.id(text); }
  std::optional<std::size_t> covered_bytes(std::int32_t id, bool) const override {
    return id == unknown_ ? std::nullopt : std::optional(vocabulary_.text(id).size());
  }
  std::string kind() const override { return "words"; }

  std::string to_json() const override {
    return "{\"type\":\"WordLevel\",\n\"vocab\": " + vocabulary_object(vocabulary_) +
           ",\n\"unk_token\": " + dump_compact(Json(unk_token_)) + "}";
  }

 private:
  Vocabulary vocabulary_;
  std::string unk_token_;
  std::int32_t unknown_ = 0;
};

}  // namespace

std::unique_ptr<TokenModel> make_word_level_model(std::vector<Vocabulary::Entry> vocabulary,
                                                  const std::string& unk_token, const std::string& name) {
  return std::make_unique<WordLevelModel>(std::move(vocabulary), unk_token, name);
}

std::unique_ptr<TokenModel> word_level_model_from_json(const Json& json, const std::string& name) {
  const JsonFields fields(json, name, "model");
  return make_word_level_model(parse_vocabulary(fields.at("vocab"), name, "model.vocab"), fields.string("unk_token"),
                               name);
}

}  // namespace rapt
