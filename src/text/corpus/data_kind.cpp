#include "text/corpus/data_kind.h"

#include <algorithm>
#include <vector>

#include "io/json.h"
#include "tensor/error.h"
#include "text/corpus/json_records.h"
#include "text/corpus/table.h"
#include "text/corpus/text_reader.h"

namespace rapt {
namespace {

constexpr std::size_t kBeginning = std::size_t{1} << 16;

DataKind kind_of_columns(const auto& has) {
  if ((has("tokens") || has("words")) && !has("text")) return DataKind::kTags;
  if (has("choices") || (has("sent1") && has("ending0")) || has("InputSentence1")) return DataKind::kChoices;
  if (has("context") && has("question") && has("answers")) return DataKind::kQuestions;
  return DataKind::kTable;
}

DataKind kind_of_json(const std::string& text) {
  if (text.find("\"paragraphs\"") != std::string::npos || text.find("\"qas\"") != std::string::npos) {
    return DataKind::kQuestions;
  }
  try {
    LineReader lines(Input::from_memory("", text));
    JsonRecords records;
    std::string record;
    std::int64_t line = 0;
    if (!records.next(lines, record, line)) return DataKind::kText;
    const Json object = parse_json_line(record, "");
    if (!object.is_object() || object.empty()) return DataKind::kText;
    return kind_of_columns([&](const char* name) { return object.contains(name); });
  } catch (const DataError&) {  // truncated, or over several lines
    const auto has = [&](const char* key) { return text.find('"' + std::string(key) + '"') != std::string::npos; };
    return has("context") && has("question") && has("answers") ? DataKind::kQuestions : DataKind::kText;
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!trimmed(text.substr(0, end)).empty()) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A word and its tag on nine in ten lines, because there may be a header or comments.
bool are_tagged_words(const std::vector<std::string_view>& lines) {
  std::size_t tagged = 0;
  for (std::string_view line : lines) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const std::size_t last = line.find_last_of(" \t");
    if (last != std::string_view::npos && is_span_tag(line.substr(last + 1))) ++tagged;
  }
  return tagged > 0 && 10 * tagged >= 9 * lines.size();
}

bool are_trec(const std::vector<std::string_view>& lines) {
  constexpr std::size_t kEnough = 5;
  return lines.size() >= kEnough && std::ranges::all_of(lines, [](std::string_view line) {
           std::size_t colon = 0, space = 0;
           const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
           return split_trec(std::string(line), colon, space) &&
                  std::ranges::all_of(line.substr(0, colon), is_letter) &&
                  std::ranges::all_of(line.substr(colon + 1, space - colon - 1), is_letter);
         });
}

// A table with the columns of a header, and rows of the same length.
DataKind kind_of_table(const std::string& text, TableFormat format, bool named) {
  try {
    TableReader table(Input::from_memory("", text), {.format = format});
    const std::vector<std::string>& columns = table.columns();
    if (columns.size() < 2) return DataKind::kText;
    const bool usual =
        std::ranges::any_of(columns, is_usual_text_name) && std::ranges::any_of(columns, is_usual_label_name);
    const DataKind kind = kind_of_columns([&](const char* name) { return table.find(name).has_value(); });
    if (!named && !usual && kind == DataKind::kTable) return DataKind::kText;
    TableRow row;
    for (int i = 0; i < 50 && table.next(row); ++i) continue;
    return kind == DataKind::kChoices ? kind : DataKind::kTable;
  } catch (const DataError&) {  // rows of different lengths
    return DataKind::kText;
  }
}

}  // namespace

std::string beginning_of(const Input& input) {
  std::string text;
  try {
    TextReader reader(input);
    while (text.size() < kBeginning && reader.read(text)) continue;
  } catch (const DataError&) {
    return "";
  }
  if (text.size() > kBeginning) {
    text.resize(kBeginning);
    const std::size_t end = text.rfind('\n');
    if (end != std::string::npos) text.resize(end + 1);
  }
  return text;
}

std::vector<std::string> fields_of(const Input& input) {
  std::vector<std::string> fields;
  const std::string text = beginning_of(input);
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos || (text[first] != '{' && text[first] != '[')) return fields;
  try {
    LineReader lines(Input::from_memory("", text));
    JsonRecords records;
    std::string record;
    std::int64_t line = 0;
    if (!records.next(lines, record, line)) return fields;
    const Json object = parse_json_line(record, "");
    if (!object.is_object()) return fields;
    for (const auto& item : object.items()) fields.push_back(item.key());
  } catch (const DataError&) {  // truncated, or not JSON
  }
  return fields;
}

bool is_span_tag(std::string_view tag) {
  if (tag == "O") return true;
  return tag.size() > 2 && tag[1] == '-' && std::string_view("BIESLUM").find(tag[0]) != std::string_view::npos;
}

std::string_view name_of(DataKind kind) {
  switch (kind) {
    case DataKind::kTable:
      return "a table with one text per row";
    case DataKind::kTags:
      return "words with tags";
    case DataKind::kQuestions:
      return "questions about texts";
    case DataKind::kChoices:
      return "questions with choices";
    case DataKind::kText:
      break;
  }
  return "text";
}

std::string_view task_for(DataKind kind) {
  switch (kind) {
    case DataKind::kTable:
      return "classify";
    case DataKind::kTags:
      return "tag";
    case DataKind::kQuestions:
      return "qa";
    case DataKind::kChoices:
      return "choice";
    case DataKind::kText:
      break;
  }
  return "";
}

DataKind data_kind_of(const Input& input) {
  const std::string text = beginning_of(input);
  const std::vector<std::string_view> lines = lines_of(text);
  if (lines.empty()) return DataKind::kText;
  const char first = trimmed(lines[0]).front();
  const auto named = table_format_by_name(input.name());
  if (named == TableFormat::kJsonLines || first == '{') return kind_of_json(text);
  if (first == '[' && trimmed(lines[0]) != "[" && trimmed(lines[0]).find('{') == std::string_view::npos) {
    return DataKind::kText;  // [Stage direction]
  }
  if (first == '[') return kind_of_json(text);
  if (are_tagged_words(lines)) return DataKind::kTags;
  if (are_trec(lines)) return DataKind::kTable;
  if (named) return kind_of_table(text, *named, true);
  const DataKind tabs = kind_of_table(text, TableFormat::kTsv, false);
  return tabs != DataKind::kText ? tabs : kind_of_table(text, TableFormat::kCsv, false);
}

}  // namespace rapt
