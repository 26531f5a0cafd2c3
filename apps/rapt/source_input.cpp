#include "source_input.h"

#include <algorithm>

#include "io/joined.h"
#include "tensor/error.h"

namespace rapt::app {

// The column of the texts if the user names none.
static std::size_t usual_column(const TableReader& table, const std::string& trained) {
  if (table.columns().size() == 1) return 0;
  if (const auto column = table.find(trained)) return *column;
  for (const char* name : {"source", "src", "text", "document", "article", "input", "sentence"}) {
    if (const auto column = table.find(name)) return *column;
  }
  throw UsageError(table.name() + ": one column must hold the texts, got " + joined(table.columns()) +
                   "; name it with --source-field " + table.columns().front());
}

void SourceTexts::open(const std::string& file) {
  const Input input = file == "-" ? Input::live_standard_input() : Input::from_file(file);
  const auto format = table_format_by_name(file);
  lines_.reset();
  table_.reset();
  if (field_.empty() && !format) {
    lines_ = std::make_unique<LineReader>(input);
    return;
  }
  table_ = std::make_unique<TableReader>(input);
  column_ = field_.empty() ? usual_column(*table_, trained_) : table_->column(field_);
}

bool SourceTexts::next(std::string& text) {
  while (true) {
    if (lines_ != nullptr && lines_->next(text)) return true;
    if (table_ != nullptr && table_->next(row_)) {
      text = table_->required_text(row_, column_);
      return true;
    }
    if (file_ == files_.size()) return false;
    open(files_[file_++]);
  }
}

bool SourceTexts::would_wait() const {
  if (lines_ != nullptr) return lines_->would_wait();
  return table_ != nullptr && table_->would_wait();
}

std::string SourceTexts::where() const { return lines_ != nullptr ? lines_->where() : table_->where(row_); }

}  // namespace rapt::app
