#include "text/tokenizer/training/tokenizer_head.h"

#include <algorithm>

#include "text/tokenizer/files/vocabulary_text.h"
#include "text/tokenizer/normalizer.h"

namespace rapt {
namespace {

Json special_tokens_json(const std::vector<std::string>& special, std::int32_t first_id) {
  Json added = Json::array();
  for (const std::string& content : special) {
    added.push_back({{"id", first_id++},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  return added;
}

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

// SentencePiece's words: any white space becomes one space, and every word begins with the mark.
void add_metaspace(Json& head, bool lowercase) {
  const Json nfc = {{"type", "NFC"}}, lower = {{"type", "Lowercase"}};
  head["normalizer"] = lowercase ? Json{{"type", "Sequence"}, {"normalizers", Json::array({nfc, lower})}} : nfc;
  const Json mark = {{"type", "Metaspace"}, {"replacement", kSpaceMark}, {"prepend_scheme", "always"}, {"split", true}};
  head["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", Json::array({Json{{"type", "WhitespaceSplit"}}, mark})}};
  head["decoder"] = mark;
}

// Spaces between words, except before marks that close something; some of them are WordPiece's `cleanup`.
Json words_decoder() {
  Json steps = Json::array({Json{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}});
  for (const char* mark : {":", ";", ")", "]", "}", "%"}) {
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", std::string(" ") + mark}}}, {"content", mark}});
  }
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

// The token that ends a text, behind each text.
Json end_of_each_text(const std::string& token, std::int32_t id) {
  const auto sequence = [](const char* name, int segment) {
    return Json{{"Sequence", {{"id", name}, {"type_id", segment}}}};
  };
  const auto end = [&](int segment) { return Json{{"SpecialToken", {{"id", token}, {"type_id", segment}}}}; };
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({sequence("A", 0), end(0)})},
          {"pair", Json::array({sequence("A", 0), end(0), sequence("B", 1), end(1)})},
          {"special_tokens", {{token, {{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}}}}}};
}

}  // namespace

bool has_mark_before_words(TokenizerType type) {
  return type == TokenizerType::kMetaspaceBpe || type == TokenizerType::kUnigram;
}

Json tokenizer_head(const TokenizerTrainerOptions& options, std::int32_t first_special) {
  Json head = {{"added_tokens", special_tokens_json(options.special, first_special)}};
  switch (options.type) {
    case TokenizerType::kByteBpe:
    case TokenizerType::kByte:
      head["pre_tokenizer"] = byte_level(options.type == TokenizerType::kByteBpe);
      head["decoder"] = byte_level(true);
      break;
    case TokenizerType::kWordBpe:
      head["normalizer"] =
          make_bert_normalizer({.strip_accents = options.lowercase, .lowercase = options.lowercase})->to_json();
      head["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
      head["decoder"] = {{"type", "BPEDecoder"}, {"suffix", kWordEnd}};
      break;
    case TokenizerType::kWordPiece: {
      std::vector<std::pair<std::string, std::int32_t>> special;
      for (const std::string& content : options.special) special.emplace_back(content, first_special++);
      return bert_head({.strip_accents = options.lowercase, .lowercase = options.lowercase}, special);
    }
    case TokenizerType::kChar:
      head["decoder"] = {{"type", "Fuse"}};
      break;
    case TokenizerType::kMetaspaceBpe:
    case TokenizerType::kUnigram:
      add_metaspace(head, options.lowercase);
      break;
    case TokenizerType::kWord:
      head["normalizer"] = make_bert_normalizer({.strip_accents = false, .lowercase = options.lowercase})->to_json();
      head["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
      head["decoder"] = words_decoder();
      break;
  }
  const auto end = std::ranges::find(options.special, kTextEnd);
  if (end != options.special.end()) {
    const auto index = static_cast<std::int32_t>(end - options.special.begin());
    head["post_processor"] = end_of_each_text(*end, first_special + index);
  }
  return head;
}

Json counted_words(const TokenizerTrainerOptions& options) {
  if (has_mark_before_words(options.type)) return {{"type", "WhitespaceSplit"}};
  return tokenizer_head(options, 0).value("pre_tokenizer", Json());
}

}  // namespace rapt
