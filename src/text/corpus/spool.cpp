#include "text/corpus/spool.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"

namespace rapt {

Spool::Spool(std::string subject, const std::string& folder) : subject_(std::move(subject)) {
  std::error_code error;
  const std::filesystem::path where = folder.empty() ? std::filesystem::temp_directory_path(error) : folder.c_str();
  std::string path = (where / ".rapt-XXXXXX").string();
  file_ = FileDescriptor(mkstemp(path.data()));
  if (!file_) {
    throw IoError(subject_ + ": a temporary file cannot be created in " + escape_for_terminal(where.string()) + ": " +
                  system_message(errno) + (folder.empty() ? "; set TMPDIR to a writable folder" : ""));
  }
  unlink(path.c_str());
}

void Spool::append(const void* data, std::size_t bytes) {
  buffer_.append(static_cast<const char*>(data), bytes);
  if (buffer_.size() >= std::size_t{1} << 18) flush();
}

void Spool::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t wrote = ::write(file_.get(), buffer_.data() + done, buffer_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      throw IoError(subject_ + ": writing it to a temporary file failed after " + readable_bytes(size_ + done) + ": " +
                    system_message(errno) + "; set TMPDIR to a folder with more space");
    }
    done += static_cast<std::size_t>(wrote);
  }
  size_ += buffer_.size();
  buffer_.clear();
}

std::size_t Spool::read(std::uint64_t offset, void* to, std::size_t size) {
  flush();
  if (offset >= size_) return 0;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  read_at(file_, subject_, offset, to, count);
  return count;
}

FileDescriptor Spool::copy() {
  flush();
  FileDescriptor copy(::dup(file_.get()));
  if (!copy) throw IoError(subject_ + ": a temporary file cannot be opened again: " + system_message(errno));
  return copy;
}

FileDescriptor Spool::finish() {
  flush();
  return std::move(file_);
}

}  // namespace rapt
