// Reading files: opening without blocking on pipes or devices, whole-file reads with a limit, memory maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rapt {

/// The system's words for an errno: "No such file or directory".
std::string system_message(int error);

/// Owns a file descriptor.
class FileDescriptor final {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Opens a regular file for reading. A FIFO, a device or a folder is rejected immediately instead of blocking.
/// \throws MissingInputError  not found (a similar name in the folder is suggested) or not permitted
/// \throws DataError          not a regular file
FileDescriptor open_regular_file(const std::string& path);

/// Size of an open file in bytes. \throws IoError
std::uint64_t file_size(const FileDescriptor& file, const std::string& path);

/// Reads exactly `bytes` at `offset`; `path` is for messages.
/// \throws IoError    if reading fails
/// \throws DataError  if the file ends too early
void read_at(const FileDescriptor& file, const std::string& path, std::uint64_t offset, void* to, std::size_t bytes);

struct ReadOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 30U;
  bool regular_only = true;  ///< false: also pipes and devices, read to their end
};

/// The whole file. \throws as open_regular_file; DataError if it is larger than max_bytes; IoError
std::string read_file(const std::string& path, const ReadOptions& options = {});

/// A regular file as read-only memory, loaded page by page on access. Moving the object keeps the addresses. If the
/// file shrinks while it is mapped, access to the lost pages is fatal (SIGBUS). Map only files that are never rewritten
/// in place; durable_file's rename ensures this for our own files.
class MappedFile final {
 public:
  MappedFile() = default;
  /// \throws as open_regular_file; IoError
  explicit MappedFile(const std::string& path);
  /// Maps a file that is already open: the same file, even if another one now has its name. `path` is for messages.
  MappedFile(const FileDescriptor& file, const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The name in `path`'s folder that is most similar to its last part, for "did you mean"; empty if none is similar.
std::string similar_file(const std::string& path);

}  // namespace rapt
