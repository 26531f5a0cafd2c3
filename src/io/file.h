// Reading files: open without hanging or following surprises, whole-file reads with a limit, memory maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rapt {

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

/// Opens a regular file for reading. A FIFO, a device or a folder is refused at once instead of waited for.
/// \throws MissingInputError  not there (a similarly named file of the folder is suggested) or not permitted
/// \throws DataError          not a regular file
FileDescriptor open_regular_file(const std::string& path);

/// Bytes of an open file. \throws IoError
std::uint64_t file_size(const FileDescriptor& file, const std::string& path);

/// Reads exactly `bytes` at `offset`; `path` is for the message.
/// \throws IoError    if reading fails
/// \throws DataError  if the file ends before
void read_at(const FileDescriptor& file, const std::string& path, std::uint64_t offset, void* to, std::size_t bytes);

struct ReadOptions {
  std::uint64_t max_bytes = std::uint64_t{1} << 30U;
  bool regular_only = true;  ///< false: also pipes and devices, read to their end
};

/// The whole file. \throws as open_regular_file; DataError if it is larger than max_bytes; IoError
std::string read_file(const std::string& path, const ReadOptions& options = {});

/// A regular file as read-only memory, paged in as it is touched. Moving it keeps the addresses.
/// Shrinking the file while it is mapped makes touching the lost pages fatal (SIGBUS): map only what no one rewrites
/// in place, which is what durable_file's rename ensures for our own files.
class MappedFile final {
 public:
  MappedFile() = default;
  /// \throws as open_regular_file; IoError
  explicit MappedFile(const std::string& path);
  /// Maps a file that is open already: the same one, even if its name has moved on. `path` is for messages.
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

/// The name in `path`'s folder that is nearest to its last part, for "did you mean"; empty if none is near.
std::string similar_file(const std::string& path);

}  // namespace rapt
