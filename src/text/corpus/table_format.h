// The format of a table file: tabs, commas, JSON, TREC's questions or plain lines, determined from its name or its
// beginning.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/input.h"

namespace rapt {

enum class TableFormat {
  kTsv,        ///< cells between tabs; no quoting, as in GLUE's files: a quotation mark is an ordinary character
  kCsv,        ///< RFC 4180: cells between commas; "..." may contain commas, line ends and doubled quotation marks
  kJsonLines,  ///< one object per line, or an array of objects; the keys of the first object are the columns
  kTrec,       ///< `NUM:dist How far is it ...`: columns "label" (NUM), "fine_label" (NUM:dist) and "text"
  kLines,      ///< one text per line: one column, "text"
};

/// "tsv", "csv", "jsonl", "json", "trec", "lines", "text". \throws UsageError  for any other word
TableFormat table_format(std::string_view word);

/// The format of a file with this name (.tsv, .csv, .jsonl, .ndjson, .json, each also with .gz), or nothing if the name
/// does not determine it. A .txt may be anything.
std::optional<TableFormat> table_format_by_name(std::string_view path);

/// The format of a file: by its name or, failing that, by its first lines (of live standard input, only the first one,
/// so that the answer need not wait for more). Checks for JSON; tabs; TREC's labels; commas, if the first line has a
/// common column name or all lines have the same number of cells. Otherwise one text per line.
TableFormat table_format_of(const Input& input);

/// The first non-blank lines, at most `most`; one line of live standard input.
std::vector<std::string> first_lines(const Input& input, std::size_t most);

/// Whether a line is TREC's: a two-part label without spaces, and a question.
bool split_trec(const std::string& line, std::size_t& colon, std::size_t& space);

/// Whether a line is a comma-separated header with a common column name; in prose, a space follows each comma.
bool is_csv_header(std::string_view line);

/// The text without surrounding spaces and tabs.
std::string_view trimmed(std::string_view text);

/// Common names of text and label columns, in lower case.
bool is_usual_text_name(std::string_view name);
bool is_usual_label_name(std::string_view name);
std::string lower_case(std::string_view text);  ///< ASCII letters only

}  // namespace rapt
