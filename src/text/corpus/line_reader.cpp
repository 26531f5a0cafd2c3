#include "text/corpus/line_reader.h"

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

std::string LineReader::where(std::int64_t line) const {
  return escape_for_terminal(name()) + ": line " + std::to_string(line);
}

// Appends more text; false at the end.
bool LineReader::fill() {
  try {
    return reader_.read(buffer_);
  } catch (const DataError& error) {
    const std::string message = error.what(), file = escape_for_terminal(name());
    if (!message.starts_with(file + ": must be text in UTF-8, got 0x")) throw;
    throw DataError(where(line_ + 1) + message.substr(file.size()));
  }
}

bool LineReader::next(std::string& line) {
  std::size_t searched = 0;  // in the part not yet returned
  while (true) {
    const std::size_t newline = buffer_.find('\n', taken_ + searched);
    const bool ends = newline != std::string::npos;
    const std::size_t length = (ends ? newline : buffer_.size()) - taken_;
    if (length > kLongest) throw DataError(where(line_ + 1) + " must not be longer than 16 MiB");
    if (ends) {
      line.assign(buffer_, taken_, length);
      taken_ = newline + 1;
      ++line_;
      return true;
    }
    searched = length;
    buffer_.erase(0, taken_);
    taken_ = 0;
    if (!fill()) break;
  }
  if (buffer_.empty()) return false;
  line = std::move(buffer_);
  buffer_.clear();
  ++line_;
  return true;
}

Json parse_json_line(const std::string& line, const std::string& where) {
  try {
    return parse_json(line, "");
  } catch (const DataError& error) {  // ": line 1, column 7: ..."
    const std::string message = error.what();
    const std::size_t column = message.find(", column");
    throw DataError(where + (column == std::string::npos ? message : message.substr(column)));
  }
}

}  // namespace rapt
