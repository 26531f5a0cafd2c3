#include "text/corpus/json_records.h"

#include <string_view>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

static constexpr std::string_view kSpaces = " \t";

bool JsonRecords::next(LineReader& lines, std::string& record, std::int64_t& line) {
  if (form_ == Form::kEnded) return false;
  if (form_ == Form::kArray) return next_of_array(lines, record, line);
  do {
    if (!lines.next(line_)) return false;
    at_ = line_.find_first_not_of(kSpaces);
  } while (at_ == std::string::npos);
  if (form_ == Form::kUnknown && line_[at_] == '[') {
    form_ = Form::kArray;
    ++at_;
    return next_of_array(lines, record, line);
  }
  form_ = Form::kLines;
  record = line_;
  line = lines.line();
  return true;
}

// Skips white space; false at the end of the text.
bool JsonRecords::skip_spaces(LineReader& lines) {
  while ((at_ = line_.find_first_not_of(kSpaces, at_)) == std::string::npos) {
    if (!lines.next(line_)) return false;
    at_ = 0;
  }
  return true;
}

bool JsonRecords::next_of_array(LineReader& lines, std::string& record, std::int64_t& line) {
  const auto unclosed = [&] { return DataError(lines.where() + ": the array of records is never closed with ]"); };
  if (!skip_spaces(lines)) throw unclosed();
  if (line_[at_] == ']') {
    end(lines);
    return false;
  }
  if (begun_) {
    if (line_[at_] != ',') {
      throw DataError(lines.where() + ": records must be separated by a comma, got " +
                      in_quotes(line_.substr(at_), 20));
    }
    ++at_;
    if (!skip_spaces(lines)) throw unclosed();
  }
  begun_ = true;
  line = lines.line();
  take_element(lines, record);
  return true;
}

// To the end of an object or array, or up to the comma or bracket after another value. The parser reports anything that
// is not JSON.
void JsonRecords::take_element(LineReader& lines, std::string& record) {
  const std::int64_t began = lines.line();
  record.clear();
  std::size_t open = 0;
  bool in_string = false;
  while (true) {
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (in_string) {
        if (c == '\\' && at_ + 1 < line_.size()) record += line_[at_++];
        in_string = c != '"';
      } else if (open == 0 && (c == ',' || c == ']')) {
        return;
      } else {
        in_string = c == '"';
        if (c == '{' || c == '[') ++open;
        const bool closes = (c == '}' || c == ']') && open > 0;
        if (closes && --open == 0) {
          record += line_[at_++];
          return;
        }
      }
      record += line_[at_];
    }
    record += '\n';
    if (record.size() > LineReader::kLongest) {
      throw DataError(lines.where(began) + ": a record must not be longer than 16 MiB");
    }
    if (!lines.next(line_)) throw DataError(lines.where(began) + ": the array of records is never closed with ]");
    at_ = 0;
  }
}

void JsonRecords::end(LineReader& lines) {
  ++at_;
  form_ = Form::kEnded;
  if (!skip_spaces(lines)) return;
  throw DataError(lines.where() + ": nothing must follow the array of records, got " +
                  in_quotes(line_.substr(at_), 20));
}

}  // namespace rapt
