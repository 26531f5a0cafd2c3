// A temporary file without a name: what is too long for memory and is gone when the process is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "io/file.h"

namespace rapt {

/// Bytes are added at the end and read from anywhere.
class Spool final {
 public:
  /// \param folder   where the file lies; empty: the system's folder for temporary files (TMPDIR)
  /// \param subject  what it holds, for messages
  /// \throws IoError
  explicit Spool(std::string subject, const std::string& folder = "");

  /// \throws IoError  no space
  void append(const void* data, std::size_t bytes);
  std::uint64_t size() const { return size_ + buffer_.size(); }
  /// Up to `size` of the bytes that were added, from `offset` on.
  std::size_t read(std::uint64_t offset, void* to, std::size_t size);
  /// Another handle of the file, which holds what was added so far.
  FileDescriptor copy();
  /// Ends the writing and gives the file.
  FileDescriptor finish();

 private:
  void flush();

  std::string subject_;
  FileDescriptor file_;
  std::string buffer_;
  std::uint64_t size_ = 0;
};

}  // namespace rapt
