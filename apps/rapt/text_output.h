// Results as text: to a file that appears completely or not at all, or to standard output.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/durable_file.h"
#include "terminal.h"

namespace rapt::app {

class TextOutput final {
 public:
  /// \param path  of the file; empty: standard output
  explicit TextOutput(const std::string& path) {
    if (!path.empty()) file_ = std::make_unique<DurableFile>(path);
  }
  void write(std::string_view text) {
    if (file_ == nullptr) return out(text);
    file_->append(text);
  }
  /// Users who type line by line wait for an answer.
  void flush() {
    if (file_ == nullptr) flush_out();
  }
  void finish() {
    if (file_ != nullptr) file_->commit();
  }

 private:
  std::unique_ptr<DurableFile> file_;
};

}  // namespace rapt::app
