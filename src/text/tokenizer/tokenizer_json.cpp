#include "text/tokenizer/tokenizer_json.h"

#include <algorithm>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/char_model.h"
#include "text/tokenizer/unigram_model.h"
#include "text/tokenizer/vocabulary.h"
#include "text/tokenizer/word_level_model.h"
#include "text/tokenizer/wordpiece_model.h"

namespace rapt {

namespace {

std::vector<AddedToken> read_added_tokens(const JsonFields& file) {
  std::vector<AddedToken> tokens;
  if (!file.has_value("added_tokens")) return tokens;
  for (const Json& item : file.array("added_tokens")) {
    const JsonFields fields(item, file.name(), "added_tokens");
    AddedToken token;
    token.id = static_cast<std::int32_t>(fields.integer_between("id", 0, kMaxVocabulary - 1));
    token.content = fields.string("content");
    token.single_word = fields.boolean_or("single_word", false);
    token.lstrip = fields.boolean_or("lstrip", false);
    token.rstrip = fields.boolean_or("rstrip", false);
    token.normalized = fields.boolean_or("normalized", true);
    token.special = fields.boolean_or("special", false);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

const Json& field_or_null(const Json& object, const char* key) {
  static const Json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

// Files from before 2020 do not have the type, but each type has a field of its own.
const char* type_of_untyped(const JsonFields& model) {
  if (model.has("merges")) return "BPE";
  if (model.has("max_input_chars_per_word")) return "WordPiece";
  if (model.has("unk_id")) return "Unigram";
  return "";
}

std::unique_ptr<TokenModel> read_model(const Json& file, bool byte_level, bool plain, const std::string& name) {
  const JsonFields model = JsonFields(file, name).object("model");
  const std::string type = model.string_or("type", type_of_untyped(model));
  if (type == "WordPiece") return wordpiece_model_from_json(model.json(), name);
  if (type == "Unigram") return unigram_model_from_json(model.json(), name);
  if (type == "WordLevel") return word_level_model_from_json(model.json(), name);
  if (type != "BPE") {
    throw DataError(tokenizer_subject(name) + ": model must be of type BPE, WordPiece, Unigram or WordLevel, got " +
                    (type.empty() ? "a model without a type" : in_quotes(type)));
  }
  if (plain) {
    if (auto characters = char_model_from_json(model.json(), name)) return characters;
  }
  return bpe_model_from_json(model.json(), byte_level, name);
}

}  // namespace

TokenizerParts read_tokenizer_json(std::string_view text, const std::string& name) {
  const Json file = parse_json(text, name);
  const JsonFields fields(file, name);
  if (const std::string version = fields.string_or("version", "1.0"); version != "1.0") {
    throw DataError(tokenizer_subject(name) + ": version must be \"1.0\", got " + in_quotes(version));
  }
  const auto pre_tokenizer = pre_tokenizer_from_json(field_or_null(file, "pre_tokenizer"), name);
  const bool plain = field_or_null(file, "pre_tokenizer").is_null() && field_or_null(file, "normalizer").is_null();
  auto model = read_model(file, pre_tokenizer->byte_level(), plain, name);
  return read_tokenizer_parts(file, std::move(model), name);
}

TokenizerParts read_tokenizer_parts(const Json& head, std::unique_ptr<TokenModel> model, const std::string& name) {
  auto added = read_added_tokens(JsonFields(head, name));
  std::int32_t size = model->size();
  for (const AddedToken& token : added) size = std::max(size, token.id + 1);
  return {.added_tokens = std::move(added),
          .normalizer = normalizer_from_json(field_or_null(head, "normalizer"), name),
          .pre_tokenizer = pre_tokenizer_from_json(field_or_null(head, "pre_tokenizer"), name),
          .model = std::move(model),
          .decoder = decoder_from_json(field_or_null(head, "decoder"), name),
          .post_processor = PostProcessor(field_or_null(head, "post_processor"), size, name)};
}

std::string write_tokenizer_json(const TokenizerParts& parts) {
  std::string out = "{\n\"version\": \"1.0\",\n\"truncation\": null,\n\"padding\": null,\n\"added_tokens\": [";
  for (std::size_t i = 0; i < parts.added_tokens.size(); ++i) {
    const AddedToken& token = parts.added_tokens[i];
    const Json json = {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
                       {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
                       {"special", token.special}};
    out += (i == 0 ? "\n" : ",\n") + dump_compact(json);
  }
  out += "],\n\"normalizer\": " + dump_compact(parts.normalizer ? parts.normalizer->to_json() : Json());
  out += ",\n\"pre_tokenizer\": " + dump_compact(parts.pre_tokenizer->to_json());
  out += ",\n\"post_processor\": " + dump_compact(parts.post_processor.to_json());
  out += ",\n\"decoder\": " + dump_compact(parts.decoder->to_json());
  return out + ",\n\"model\": " + parts.model->to_json() + "\n}\n";
}

}  // namespace rapt
