// What a table's file is: tabs, commas, JSON, TREC's questions, plain lines; told by its name or by how it begins.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

enum class TableFormat {
  kTsv,        ///< cells between tabs; no quoting, as in GLUE's files: a quotation mark is a character like any other
  kCsv,        ///< RFC 4180: cells between commas; "..." may hold commas, line ends and, doubled, quotation marks
  kJsonLines,  ///< an object a line, or an array of objects; the columns are the keys of the first one
  kTrec,       ///< `NUM:dist How far is it ...`: columns "label" (NUM), "fine_label" (NUM:dist) and "text"
  kLines,      ///< a text a line: one column, "text"
};

/// "tsv", "csv", "jsonl", "json", "trec", "lines", "text". \throws UsageError  for another word
TableFormat table_format(std::string_view word);
std::string_view word_for(TableFormat format);

/// The format of a file with this name (.tsv, .csv, .jsonl, .ndjson, .json, each also with .gz); nothing if the name
/// does not tell. A .txt may be anything.
std::optional<TableFormat> table_format_by_name(std::string_view path);

/// What a file is: by its name, else by its first lines (of live standard input by the first one alone, so that an
/// answer need not wait for more): JSON; tabs; TREC's labels; commas, where the first line has a usual name of a column
/// or all lines have equally many cells; else a text a line.
TableFormat table_format_of(const Input& input);

/// The first lines that are not blank, at most `most`; of live standard input one.
std::vector<std::string> first_lines(const Input& input, std::size_t most);

/// Whether a line is TREC's: a label in two parts without spaces, and a question.
bool split_trec(const std::string& line, std::size_t& colon, std::size_t& space);

/// Whether a line names columns between commas, one of them as usual; prose has a space behind its commas.
bool is_csv_header(std::string_view line);

/// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// What headers usually call the columns of texts and labels, in lower case.
bool is_usual_text_name(std::string_view name);
bool is_usual_label_name(std::string_view name);
std::string lower_case(std::string_view text);  ///< of ASCII letters

}  // namespace rapt
