#include "text/corpus/table_format.h"

#include <algorithm>
#include <array>
#include <utility>

#include "io/escape.h"
#include "io/suggest.h"
#include "tensor/error.h"
#include "text/corpus/line_reader.h"

namespace rapt {

static constexpr std::array<std::pair<std::string_view, TableFormat>, 7> kWords = {{
    {"tsv", TableFormat::kTsv},
    {"csv", TableFormat::kCsv},
    {"jsonl", TableFormat::kJsonLines},
    {"json", TableFormat::kJsonLines},
    {"trec", TableFormat::kTrec},
    {"lines", TableFormat::kLines},
    {"text", TableFormat::kLines},
}};

TableFormat table_format(std::string_view word) {
  std::vector<std::string> words;
  for (const auto& [known, format] : kWords) {
    if (word == known) return format;
    words.emplace_back(known);
  }
  throw UsageError("--format must be tsv, csv, jsonl, json, trec or lines for a table, got " + in_quotes(word) +
                   did_you_mean(word, words));
}

std::optional<TableFormat> table_format_by_name(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  constexpr std::array<std::pair<std::string_view, TableFormat>, 5> kEndings = {{
      {".tsv", TableFormat::kTsv},
      {".csv", TableFormat::kCsv},
      {".jsonl", TableFormat::kJsonLines},
      {".ndjson", TableFormat::kJsonLines},
      {".json", TableFormat::kJsonLines},
  }};
  for (const auto& [ending, format] : kEndings) {
    if (path.ends_with(ending)) return format;
  }
  return std::nullopt;
}

bool split_trec(const std::string& line, std::size_t& colon, std::size_t& space) {
  colon = line.find(':');
  space = line.find(' ');
  return colon != std::string::npos && space != std::string::npos && colon > 0 && colon + 1 < space &&
         space + 1 < line.size() && line.find('\t') > space;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

static bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, lower_case(name)) != names.end();
}

bool is_usual_text_name(std::string_view name) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "text",    "sentence",   "text_a", "text_b",  "sentence1", "sentence2", "question1", "question2", "question",
      "premise", "hypothesis", "review", "content", "document",  "utterance", "comment",   "tweet"};
  return contains(kNames, name);
}

bool is_usual_label_name(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kNames = {"label",  "labels", "gold_label", "class",    "category",
                                                             "target", "score",  "intent",     "sentiment"};
  return contains(kNames, name);
}

std::vector<std::string> first_lines(const Input& input, std::size_t most) {
  if (input.is_live()) most = 1;
  std::vector<std::string> lines;
  LineReader reader(input);
  for (std::string line; lines.size() < most && reader.next(line);) {
    if (!trimmed(line).empty()) lines.push_back(line);
  }
  return lines;
}

// Cells of a line of CSV, if no line ends are inside quotation marks.
static std::vector<std::string> cells_of_csv(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

bool is_csv_header(std::string_view line) {
  const std::vector<std::string> cells = cells_of_csv(line);
  return cells.size() > 1 && line.find(", ") == std::string_view::npos &&
         std::ranges::any_of(cells, [](const std::string& cell) {
           return is_usual_text_name(trimmed(cell)) || is_usual_label_name(trimmed(cell));
         });
}

// Prose has commas, too: a header is needed, or several lines with the same number of cells.
static bool looks_like_csv(std::span<const std::string> lines) {
  constexpr std::size_t kEnoughLines = 5;
  const std::vector<std::string> first = cells_of_csv(lines[0]);
  if (first.size() < 2) return false;
  if (is_csv_header(lines[0])) return true;
  return lines.size() >= kEnoughLines &&
         std::ranges::all_of(lines, [&](const std::string& line) { return cells_of_csv(line).size() == first.size(); });
}

TableFormat table_format_of(const Input& input) {
  if (const std::optional<TableFormat> format = table_format_by_name(input.name())) return *format;
  const std::vector<std::string> lines = first_lines(input, 20);
  if (lines.empty()) throw DataError(escape_for_terminal(input.name()) + ": must hold text, got an empty file");
  const auto all = [&](const auto& holds) { return std::ranges::all_of(lines, holds); };
  if (trimmed(lines[0]).starts_with('{') || trimmed(lines[0]).starts_with('[')) return TableFormat::kJsonLines;
  if (all([](const std::string& line) { return line.find('\t') != std::string::npos; })) return TableFormat::kTsv;
  std::size_t colon = 0, space = 0;
  if (all([&](const std::string& line) { return split_trec(line, colon, space); })) return TableFormat::kTrec;
  return looks_like_csv(lines) ? TableFormat::kCsv : TableFormat::kLines;
}

}  // namespace rapt
