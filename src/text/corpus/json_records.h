// Reads JSON records one by one: one object per line, or the elements of one array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "text/corpus/line_reader.h"

namespace rapt {

/// Splits a text into the texts of its records, in memory bounded by the largest record (16 MiB). A text that starts
/// with `[` is an array; in any other text, each non-blank line is a record.
class JsonRecords final {
 public:
  /// The next record and the line on which it starts; false after the last.
  /// \throws DataError  with file and line: an array without a comma between two elements, without its closing bracket,
  ///                    or followed by something; and as LineReader::next
  bool next(LineReader& lines, std::string& record, std::int64_t& line);
  bool is_array() const { return form_ == Form::kArray; }

 private:
  enum class Form { kUnknown, kLines, kArray, kEnded };

  bool skip_spaces(LineReader& lines);
  bool next_of_array(LineReader& lines, std::string& record, std::int64_t& line);
  void take_element(LineReader& lines, std::string& record);
  void end(LineReader& lines);

  Form form_ = Form::kUnknown;
  bool begun_ = false;  // an element of the array was returned
  std::string line_;    // current line of the array
  std::size_t at_ = 0;  // read position in it
};

}  // namespace rapt
