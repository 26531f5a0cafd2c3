// The texts that translate and summarize read: lines, or a column of a table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/line_reader.h"
#include "text/corpus/table.h"

namespace rapt::app {

/// Reads files one after the other; "-" is standard input, read as it arrives. Every line is a text, an empty one too.
/// With a field, or in .jsonl, .csv and .tsv files, every row of a table is one.
class SourceTexts final {
 public:
  /// \param field    name or number of the column; empty: the only one, or one with a usual name
  /// \param trained  the column that the model was trained on, the first of the usual names; or empty
  SourceTexts(std::vector<std::string> files, std::string field, std::string trained)
      : files_(std::move(files)), field_(std::move(field)), trained_(std::move(trained)) {}

  /// \throws MissingInputError, DataError  for a file that does not exist, a table without the column ...
  bool next(std::string& text);
  /// Whether next() would block on standard input.
  bool would_wait() const;
  /// "test.de: line 7": the place of the last text.
  std::string where() const;

 private:
  void open(const std::string& file);

  std::vector<std::string> files_;
  std::string field_, trained_;
  std::size_t file_ = 0;  // index of the next file to open
  std::unique_ptr<LineReader> lines_;
  std::unique_ptr<TableReader> table_;
  std::size_t column_ = 0;
  TableRow row_;
};

}  // namespace rapt::app
