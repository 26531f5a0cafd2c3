// An unnamed temporary file, for data that is too large for memory. It disappears with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "io/file.h"

namespace rapt {

/// Bytes are appended at the end and read from anywhere.
class Spool final {
 public:
  /// \param folder   where the file is created; empty: the system's folder for temporary files (TMPDIR)
  /// \param subject  what it holds, for messages
  /// \throws IoError
  explicit Spool(std::string subject, const std::string& folder = "");

  /// \throws IoError  if there is no space
  void append(const void* data, std::size_t bytes);
  std::uint64_t size() const { return size_ + buffer_.size(); }
  /// Reads up to `size` of the appended bytes, from `offset` on.
  std::size_t read(std::uint64_t offset, void* to, std::size_t size);
  /// Another handle of the file, with everything appended so far.
  FileDescriptor copy();
  /// Ends writing and returns the file.
  FileDescriptor finish();

 private:
  void flush();

  std::string subject_;
  FileDescriptor file_;
  std::string buffer_;
  std::uint64_t size_ = 0;
};

}  // namespace rapt
