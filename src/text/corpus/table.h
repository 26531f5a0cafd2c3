// Table files: rows with named columns from TSV, CSV, JSON lines, TREC's question file and plain lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "text/corpus/input.h"
#include "text/corpus/table_format.h"

namespace rapt {

struct TableOptions {
  std::optional<TableFormat> format = {};  ///< as table_format_of, unless set
  bool header = true;                      ///< the first row of TSV and CSV holds the column names
  /// Skips and counts rows with a different number of cells than the first, instead of rejecting them: GLUE's QQP has a
  /// few lines that are broken in two.
  bool skip_uneven = false;
};

/// One row. Cells are in the order of the columns.
struct TableRow {
  std::int64_t line = 0;           ///< number of the line on which it starts, from 1
  std::vector<std::string> cells;  ///< for every format except JSON lines
  std::vector<Json> values;        ///< for JSON lines; null if the object lacks the key
};

/// Reads a table row by row, in memory bounded by the largest row (16 MiB). Handles byte-order marks, "\r\n" and gzip
/// (TextReader). Empty lines are skipped.
class TableReader final {
 public:
  /// Reads the first row to determine the columns.
  /// \throws DataError  for an empty file; and as next()
  explicit TableReader(Input input, TableOptions options = {});
  TableReader(TableReader&&) noexcept;
  TableReader& operator=(TableReader&&) noexcept;
  ~TableReader();

  TableFormat format() const;
  const std::string& name() const;  ///< of the file
  /// The names of the columns; "1", "2", ... if there is no header.
  const std::vector<std::string>& columns() const;

  /// The index of a column that the user names: by its name or, failing that, by its number, counted from 1.
  /// \throws DataError  if there is no such column, naming the existing ones and the most similar; if two columns have
  ///     the name
  std::size_t column(std::string_view name_or_number) const;
  /// The index of the column with exactly this name, if there is one.
  std::optional<std::size_t> find(std::string_view name) const;

  /// \throws DataError  with file and line: a row of a different length, an unclosed quotation mark, anything that is
  ///                    not a JSON object, a line or row over 16 MiB, more than 16,384 columns
  bool next(TableRow& row);

  /// The text of a cell. In JSON lines: a string, or a number, true or false as text; nothing if the key is missing or
  /// null.
  ///
  /// \throws DataError  for an array or an object
  std::optional<std::string> text(const TableRow& row, std::size_t column) const;
  /// The same for a cell that must have a text. \throws DataError
  std::string required_text(const TableRow& row, std::size_t column) const;
  /// The items of a cell: the parts between separators, without surrounding spaces; empty ones are skipped. In JSON
  /// lines also an array of texts or numbers.
  ///
  /// \throws DataError  if missing, null, or an array of something else
  std::vector<std::string> list(const TableRow& row, std::size_t column, char separator) const;

  /// Whether next() would block on standard input.
  bool would_wait() const;

  std::int64_t skipped() const;  ///< rows skipped so far because of skip_uneven

  /// Digest of the bytes read so far: see ByteReader::digest.
  std::string digest() const;

  /// "data/a.tsv: line 7": the start of messages about a row.
  std::string where(const TableRow& row) const;

 private:
  struct State;

  bool read_row(TableRow& row);
  bool read_csv_row(TableRow& row);
  bool read_json_row(TableRow& row);
  void set_columns(const TableRow& row);
  std::string column_names() const;

  std::unique_ptr<State> state_;
};

}  // namespace rapt
