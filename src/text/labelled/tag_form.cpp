#include "text/labelled/tag_form.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/corpus/data_kind.h"
#include "text/corpus/line_reader.h"
#include "text/labelled/undecided_error.h"

namespace rapt {
namespace {

using Lines = std::vector<std::string>;

std::size_t spaces_in(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, ' ')); }

std::size_t words_in(std::string_view line) {
  std::size_t words = 0;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos; ++words) {
    at = std::min(line.find_first_of(" \t", at), line.size());
  }
  return words;
}

// A line with a word and its tag: a span tag or a tag of the model.
bool is_tagged(std::string_view line, const std::vector<std::string>& tags) {
  line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  const std::size_t last = line.find_last_of(" \t");
  if (last == std::string_view::npos) return false;
  const std::string_view tag = line.substr(last + 1);
  return is_span_tag(tag) || std::ranges::find(tags, tag) != tags.end();
}

// The first informative lines; of live input as few as possible.
Lines sample_of(const Input& input) {
  LineReader reader(input);
  Lines lines;
  for (std::string line; lines.size() < 200 && reader.next(line);) {
    if (trimmed(line).empty() || line.starts_with("-DOCSTART-")) continue;
    lines.push_back(line);
    if (input.is_live() && (words_in(line) > 1 || lines.size() > 1)) break;
  }
  return lines;
}

template <typename Holds>
bool mostly(const Lines& lines, const Holds& holds) {
  return 10 * static_cast<std::size_t>(std::ranges::count_if(lines, holds)) >= 8 * lines.size();
}

// Cells between tabs, some of which hold whole sentences.
bool has_sentences(const Lines& lines) {
  const auto long_cell = [](const std::string& line) {
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find('\t', begin), line.size());
      if (spaces_in(std::string_view(line).substr(begin, end - begin)) >= 2) return true;
      begin = end + 1;
    }
    return false;
  };
  return 2 * std::ranges::count_if(lines, long_cell) >= static_cast<std::ptrdiff_t>(lines.size());
}

// A header with a common name of a text column.
bool is_header_of_texts(std::string_view line) {
  if (is_csv_header(line)) return true;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    if (end - begin < line.size() && is_usual_text_name(trimmed(line.substr(begin, end - begin)))) return true;
    begin = end + 1;
  }
  return false;
}

// Lines of words and tags have the same number of cells; prose does not.
bool is_prose(const Lines& lines) {
  if (lines.size() < 5) return false;
  std::map<std::size_t, std::size_t> counts;
  for (const std::string& line : lines) ++counts[words_in(line)];
  const auto most = std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
  return 10 * most->second < 8 * lines.size();
}

[[noreturn]] void refuse(const Input& input, bool table) {
  const std::string message = escape_for_terminal(input.name()) + ": must have a word and its tag on each line, got ";
  if (!table) throw DataError(message + "lines of text; --format conll reads it as words and tags anyway");
  throw UndecidedError(message + std::string(name_of(DataKind::kTable)) + "; use --task classify", "--task classify");
}

}  // namespace

TagForm tag_form_of(const Input& input, const TagOptions& options) {
  const std::optional<TableFormat> named = table_format_by_name(input.name());
  if (named == TableFormat::kJsonLines) return TagForm::kJson;
  const Lines lines = sample_of(input);
  if (lines.empty()) return TagForm::kColumns;
  const std::string_view first = trimmed(lines[0]);
  if (first.starts_with("{\"") || first == "{" || first == "[" || first.starts_with("[{")) return TagForm::kJson;
  if (mostly(lines, [&](const std::string& line) { return is_tagged(line, options.tags); })) return TagForm::kColumns;
  const bool tabs = mostly(lines, [](const std::string& line) { return line.find('\t') != std::string::npos; });
  const bool table = named == TableFormat::kCsv || (tabs && has_sentences(lines)) || is_header_of_texts(lines[0]);
  if (options.tags_required) {
    if (table) refuse(input, true);
    if (!tabs && is_prose(lines)) refuse(input, false);
    return TagForm::kColumns;
  }
  const bool single_words = mostly(lines, [](const std::string& line) { return words_in(line) == 1; });
  return options.cut && (table || !(tabs || single_words)) ? TagForm::kTexts : TagForm::kColumns;
}

}  // namespace rapt
