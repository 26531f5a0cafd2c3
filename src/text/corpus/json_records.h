// JSON records one by one: an object a line, or the elements of one array that a file is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "text/corpus/line_reader.h"

namespace rapt {

/// Cuts a text into the texts of its records, in memory bounded by the largest one (16 MiB). A text that begins with
/// `[` is an array; of any other, each line that is not blank is a record.
class JsonRecords final {
 public:
  /// The next record and the line on which it begins; false after the last.
  /// \throws DataError  with file and line: an array whose elements have no comma between them, that is not closed, or
  ///                    that something follows; and as LineReader::next
  bool next(LineReader& lines, std::string& record, std::int64_t& line);
  bool is_array() const { return form_ == Form::kArray; }

 private:
  enum class Form { kUnknown, kLines, kArray, kEnded };

  bool skip_spaces(LineReader& lines);
  bool next_of_array(LineReader& lines, std::string& record, std::int64_t& line);
  void take_element(LineReader& lines, std::string& record);
  void end(LineReader& lines);

  Form form_ = Form::kUnknown;
  bool begun_ = false;  // an element of the array was given
  std::string line_;    // of the array, and
  std::size_t at_ = 0;  // how far it was read
};

}  // namespace rapt
