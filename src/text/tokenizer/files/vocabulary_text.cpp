#include "text/tokenizer/files/vocabulary_text.h"

#include <algorithm>
#include <unordered_map>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/vocabulary.h"
#include "text/tokenizer/wordpiece_model.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace rapt {

namespace {

std::vector<Vocabulary::Entry> read_lines(std::string_view text, const std::string& name) {
  require_utf8(text, name);
  std::vector<Vocabulary::Entry> entries;
  std::unordered_map<std::string_view, std::size_t> lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t number = entries.size() + 1;
    if (const auto [found, is_new] = lines.emplace(line, number); !is_new) {
      throw DataError(tokenizer_subject(name) + ": line " + std::to_string(number) + " must be a new token, got " +
                      in_quotes(line) + ", which is on line " + std::to_string(found->second) + " too");
    }
    if (number > kMaxVocabulary) {
      throw DataError(tokenizer_subject(name) + " must have at most " + std::to_string(kMaxVocabulary) +
                      " lines, got more");
    }
    entries.emplace_back(line, static_cast<std::int32_t>(number - 1));
  }
  return entries;
}

bool has_capital(std::string_view text) {
  std::string lower;
  for_each_character(text, [&lower](char32_t code, std::string_view) { append_lower_case(lower, code); });
  return lower != text;
}

// `[UNK]`, `[unused12]`; not the bracket itself.
bool is_in_brackets(std::string_view text) { return text.size() > 2 && text.starts_with('[') && text.ends_with(']'); }

bool has_capitals(const std::vector<Vocabulary::Entry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const Vocabulary::Entry& entry) {
    return !is_in_brackets(entry.first) && has_capital(entry.first);
  });
}

Json frame_json(std::int32_t start, std::int32_t separator) {
  const auto special = [](const char* token, int segment) {
    return Json{{"SpecialToken", {{"id", token}, {"type_id", segment}}}};
  };
  const auto text = [](const char* which, int segment) {
    return Json{{"Sequence", {{"id", which}, {"type_id", segment}}}};
  };
  const auto token = [](const char* name, std::int32_t id) {
    return Json{{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
  };
  const Json single = Json::array({special("[CLS]", 0), text("A", 0), special("[SEP]", 0)});
  Json pair = single;
  pair.push_back(text("B", 1));
  pair.push_back(special("[SEP]", 1));
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", std::move(pair)},
          {"special_tokens", {{"[CLS]", token("[CLS]", start)}, {"[SEP]", token("[SEP]", separator)}}}};
}

}  // namespace

TokenizerParts read_vocabulary_text(std::string_view text, const Json& config, const std::string& name) {
  auto entries = read_lines(text, name);
  std::vector<std::pair<std::string, std::int32_t>> special;
  bool has_unknown = false;
  for (const auto& [token, id] : entries) {
    has_unknown = has_unknown || token == "[UNK]";
    for (const char* known : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
      if (token == known) special.emplace_back(token, id);
    }
  }
  if (!has_unknown) {
    throw DataError(tokenizer_subject(name) +
                    " must have [UNK] as one of its lines, got none; a vocab.txt holds one token per line");
  }
  BertNormalizerOptions options;
  static const Json nothing = Json::object();
  const JsonFields fields(config.is_null() ? nothing : config, "tokenizer_config.json");
  options.lowercase = fields.has_value("do_lower_case") ? fields.boolean("do_lower_case") : !has_capitals(entries);
  options.strip_accents = fields.boolean_or("strip_accents", options.lowercase);
  options.handle_chinese_chars = fields.boolean_or("tokenize_chinese_chars", true);
  return read_tokenizer_parts(bert_head(options, special), make_wordpiece_model(std::move(entries), {}, name), name);
}

Json bert_head(const BertNormalizerOptions& options, const std::vector<std::pair<std::string, std::int32_t>>& special) {
  Json added = Json::array();
  std::int32_t start = -1, separator = -1;
  for (const auto& [content, id] : special) {
    added.push_back({{"id", id},
                     {"content", content},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
    if (content == "[CLS]") start = id;
    if (content == "[SEP]") separator = id;
  }
  Json head = {{"added_tokens", std::move(added)},
               {"normalizer", make_bert_normalizer(options)->to_json()},
               {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
               {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}}};
  if (start >= 0 && separator >= 0) head["post_processor"] = frame_json(start, separator);
  return head;
}

}  // namespace rapt
