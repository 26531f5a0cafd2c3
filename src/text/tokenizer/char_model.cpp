#include "text/tokenizer/char_model.h"

#include <unordered_map>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

bool is_one_character(std::string_view text) {
  if (text.empty()) return false;
  const Utf8Character c = read_utf8(text.data(), text.data() + text.size());
  return c.valid && c.length == text.size();
}

class CharModel final : public TokenModel {
 public:
  CharModel(std::vector<Vocabulary::Entry> vocabulary, const std::optional<std::string>& unk_token,
            const std::string& name)
      : ascii_(128, kNoToken), as_bpe_(make_bpe_model(vocabulary, {}, {.unk_token = unk_token}, false, name)) {
    for (const auto& [text, id] : vocabulary) {
      if (unk_token && text == *unk_token) {
        unknown_ = id;
        continue;
      }
      if (!is_one_character(text)) {
        throw DataError(tokenizer_subject(name) + ": a character vocabulary must hold single characters, got " +
                        in_quotes(text));
      }
      const char32_t code = read_utf8(text.data(), text.data() + text.size()).code;
      if (code < 128) {
        ascii_[code] = id;
      } else {
        others_.emplace(code, id);
      }
    }
  }

  void append_ids(std::string_view word, ModelWorkspace&, std::vector<std::int32_t>& ids) const override {
    const char* p = word.data();
    const char* const end = p + word.size();
    while (p < end) {
      const Utf8Character c = read_utf8(p, end);
      const std::int32_t id = c.valid ? id_of(c.code) : unknown_;
      if (id == kNoToken) throw UnknownCharacter{static_cast<std::size_t>(p - word.data())};
      ids.push_back(id);
      p += c.length;
    }
  }

  bool worth_caching() const override { return false; }
  bool cuts_anywhere() const override { return true; }
  std::int32_t size() const override { return as_bpe_->size(); }
  bool has(std::int32_t id) const override { return as_bpe_->has(id); }
  std::string_view token_text(std::int32_t id) const override { return as_bpe_->token_text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const override { return as_bpe_->token_id(text); }
  std::optional<std::size_t> covered_bytes(std::int32_t id, bool) const override {
    return id == unknown_ ? std::nullopt : std::optional(token_text(id).size());
  }
  std::string kind() const override { return "characters"; }
  std::string to_json() const override { return as_bpe_->to_json(); }

 private:
  std::int32_t id_of(char32_t code) const {
    if (code < 128) return ascii_[code] == kNoToken ? unknown_ : ascii_[code];
    const auto found = others_.find(code);
    return found == others_.end() ? unknown_ : found->second;
  }

  std::vector<std::int32_t> ascii_;
  std::unordered_map<char32_t, std::int32_t> others_;
  std::int32_t unknown_ = kNoToken;
  std::unique_ptr<TokenModel> as_bpe_;  // texts, ids, and the form in files
};

}  // namespace

std::unique_ptr<TokenModel> make_char_model(std::vector<Vocabulary::Entry> vocabulary,
                                            const std::optional<std::string>& unk_token, const std::string& name) {
  return std::make_unique<CharModel>(std::move(vocabulary), unk_token, name);
}

std::unique_ptr<TokenModel> char_model_from_json(const Json& json, const std::string& name) {
  const JsonFields fields(json, name, "model");
  if (!fields.array("merges").empty() || !fields.string_or("continuing_subword_prefix", "").empty() ||
      !fields.string_or("end_of_word_suffix", "").empty() || fields.boolean_or("byte_fallback", false) ||
      fields.boolean_or("fuse_unk", false)) {
    return nullptr;
  }
  const auto unk = fields.has_value("unk_token") ? std::optional(fields.string("unk_token")) : std::nullopt;
  auto vocabulary = parse_vocabulary(fields.at("vocab"), name, "model.vocab");
  for (const auto& [text, id] : vocabulary) {
    if (!is_one_character(text) && !(unk && text == *unk)) return nullptr;
  }
  return make_char_model(std::move(vocabulary), unk, name);
}

}  // namespace rapt
