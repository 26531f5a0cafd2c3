// Reads a text as numbered lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "io/json.h"
#include "text/corpus/text_reader.h"

namespace rapt {

/// Reads one input line by line, in memory bounded by the longest allowed line.
class LineReader final {
 public:
  static constexpr std::size_t kLongest = std::size_t{16} << 20U;

  explicit LineReader(Input input) : reader_(std::move(input)) {}

  /// The next line without its end; false after the last. "a\n" and "a" are both one line.
  /// \throws DataError  as TextReader::read, with the line of a byte that is not UTF-8; for a line longer than 16 MiB
  bool next(std::string& line);
  /// Whether next() would block because standard input has no complete line yet.
  bool would_wait() const { return buffer_.find('\n', taken_) == std::string::npos && reader_.would_wait(); }

  std::int64_t line() const { return line_; }  ///< number of the last line returned, from 1
  std::string name() const { return reader_.name(); }
  /// The bytes read so far. See TextReader::bytes.
  const ByteReader& bytes() const { return reader_.bytes(); }

  /// "data/a.tsv: line 7": the start of messages.
  std::string where() const { return where(line_); }
  std::string where(std::int64_t line) const;

 private:
  bool fill();

  TextReader reader_;
  std::string buffer_;     // read and not yet returned
  std::size_t taken_ = 0;  // of buffer_
  std::int64_t line_ = 0;
};

/// One line as JSON. `where` ("data/a.jsonl: line 7") starts the message; the column is added to it.
/// \throws DataError  as parse_json
Json parse_json_line(const std::string& line, const std::string& where);

}  // namespace rapt
