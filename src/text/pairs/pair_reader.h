// Pairs of texts, a source and a target, from two line-aligned files, or from the columns of a table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "text/corpus/input.h"
#include "text/corpus/table_format.h"

namespace rapt {

/// A sentence and its translation, or a document and its summary.
struct Pair {
  std::string source, target;
  std::int64_t line = 0;  ///< on which it starts, from 1
};

/// How the columns of a table are read. The two are given together, or not at all.
struct PairColumns {
  /// Names of columns or JSON fields, or the numbers of columns, from 1. Not given: the common names
  /// (find_pair_columns) or, in a table without them, columns 1 and 2.
  std::string source = {}, target = {};
  std::optional<TableFormat> format = {};  ///< as table_format_of, unless set
  std::optional<bool> header = {};         ///< not set: yes, if the first line has the names of the columns
};

/// Reads the pairs of a file, or of two files, in order and in bounded memory. Handles byte-order marks, "\r\n" and
/// gzip.
class PairReader {
 public:
  virtual ~PairReader() = default;

  /// The next pair, whose sides may be empty; false after the last.
  /// \throws DataError  with file and line: text that is not UTF-8, a row of another length, a record that is not a
  /// JSON
  ///                    object, a field that is missing or not text; files with different numbers of lines
  virtual bool next(Pair& pair) = 0;

  /// "train.de: line 7": the start of messages about a pair.
  virtual std::string where(const Pair& pair) const = 0;
  /// Whether next() would block on standard input.
  virtual bool would_wait() const = 0;
  /// Digests of the bytes read so far: of the file, or of both.
  virtual std::pair<std::string, std::string> digests() const = 0;
};

/// Line n of both files is a pair. Empty lines are pairs with an empty side.
std::unique_ptr<PairReader> read_aligned_files(Input source, Input target);

/// The rows of a TSV or CSV file, or the objects of JSON lines or of a JSON array. Blank lines are skipped. A field in
/// a JSON object of its own is named with a dot, `translation.de`, or, in an object called "translation", by its own
/// name.
///
/// \throws DataError       for an empty file, or one without two columns; if there is no such column
/// \throws UndecidedError  for JSON without common names, if no fields are given
std::unique_ptr<PairReader> read_pair_table(Input input, const PairColumns& columns);

}  // namespace rapt
