// Tables as files: rows with named columns from TSV, CSV, JSON lines, TREC's question file and plain lines.
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
  std::optional<TableFormat> format = {};  ///< as table_format_of unless set
  bool header = true;                      ///< the first row of TSV and CSV has the names of the columns
  /// Leaves out rows with more or fewer cells than the first instead of refusing them, and counts them: GLUE's QQP has
  /// a few lines that are broken in two.
  bool skip_uneven = false;
};

/// One row. Cells stand in the order of the columns.
struct TableRow {
  std::int64_t line = 0;           ///< on which it begins, from 1
  std::vector<std::string> cells;  ///< of every format but JSON lines
  std::vector<Json> values;        ///< of JSON lines; null where the object has no such key
};

/// Reads a table row by row, in memory bounded by the largest row (16 MiB). Byte-order marks, "\r\n" and gzip are taken
/// care of (TextReader). Lines without anything in them are skipped.
class TableReader final {
 public:
  /// Reads the first row, because it tells the columns.
  /// \throws DataError  an empty file; and as next()
  explicit TableReader(Input input, TableOptions options = {});
  TableReader(TableReader&&) noexcept;
  TableReader& operator=(TableReader&&) noexcept;
  ~TableReader();

  TableFormat format() const;
  const std::string& name() const;  ///< of the file
  /// The names of the columns; "1", "2", ... where there is no header.
  const std::vector<std::string>& columns() const;

  /// The index of a column that a person names: by its name, or else by its number, which counts from 1.
  /// \throws DataError  no such column, naming those that exist and the nearest; a name that two columns have
  std::size_t column(std::string_view name_or_number) const;
  /// The index of the column with exactly this name, if there is one.
  std::optional<std::size_t> find(std::string_view name) const;

  /// \throws DataError  with file and line: a row of another length, a quotation mark that is never closed, what is not
  ///                    JSON or no object, a line or row over 16 MiB, more than 16,384 columns
  bool next(TableRow& row);

  /// The text of a cell. Of JSON lines a string, or the digits of a number, or true or false; nothing if the key is
  /// missing or null. \throws DataError  an array or an object
  std::optional<std::string> text(const TableRow& row, std::size_t column) const;
  /// The same where there must be one. \throws DataError
  std::string required_text(const TableRow& row, std::size_t column) const;
  /// The items of a cell: what stands between separators, without spaces around it, empty ones left out; of JSON lines
  /// also an array of texts or numbers. \throws DataError  missing, null, or an array of something else
  std::vector<std::string> list(const TableRow& row, std::size_t column, char separator) const;

  /// Whether next() would have to wait for standard input.
  bool would_wait() const;

  std::int64_t skipped() const;  ///< rows left out so far because of skip_uneven

  /// "data/a.tsv: line 7": how messages about a row begin.
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
