#include "io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <vector>

#include "io/escape.h"
#include "io/suggest.h"
#include "tensor/error.h"

namespace rapt {

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::string system_message(int error) { return std::generic_category().message(error); }

std::string similar_file(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path wanted(path);
  const std::string name = wanted.filename().string();
  const fs::path folder = wanted.has_parent_path() ? wanted.parent_path() : fs::path(".");
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::error_code error;
  // Do not search a folder of a million files for a typo.
  constexpr int kMostEntries = 10000;
  int seen = 0;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end && seen < kMostEntries;
       entry.increment(error), ++seen) {
    const std::string other = entry->path().filename().string();
    if (other.size() > 255 || name.size() > 255) continue;
    const std::size_t distance = edit_distance(name, other);
    // Ties go to the first name in alphabetical order, because a folder's own order is not fixed.
    if (distance < best_distance || (distance == best_distance && !best.empty() && other < best)) {
      best = other;
      best_distance = distance;
    }
  }
  return best.empty() ? best : (wanted.has_parent_path() ? (folder / best).string() : best);
}

[[noreturn]] static void throw_cannot_open(const std::string& path, int error) {
  const std::string subject = escape_for_terminal(path);
  if (error == ENOENT || error == ENOTDIR) {
    const std::string similar = similar_file(path);
    throw MissingInputError(subject + ": no such file" +
                            (similar.empty() ? "" : "; did you mean " + escape_for_terminal(similar) + "?"));
  }
  throw MissingInputError(subject + ": cannot be opened: " + system_message(error));
}

static FileDescriptor open_for_reading(const std::string& path, bool regular_only) {
  // O_NONBLOCK: opening a FIFO without a writer would block for ever.
  const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular_only ? O_NONBLOCK : 0);
  if (path.find('\0') != std::string::npos) throw_cannot_open(path, ENOENT);
  FileDescriptor file(::open(path.c_str(), flags));
  if (!file) throw_cannot_open(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw IoError(escape_for_terminal(path) + ": " + system_message(errno));
  if (S_ISDIR(status.st_mode)) throw DataError(escape_for_terminal(path) + ": must be a file, got a folder");
  if (regular_only && !S_ISREG(status.st_mode)) {
    const char* kind = S_ISFIFO(status.st_mode) ? "a pipe" : S_ISSOCK(status.st_mode) ? "a socket" : "a device";
    throw DataError(escape_for_terminal(path) + ": must be a regular file, got " + kind);
  }
  return file;
}

FileDescriptor open_regular_file(const std::string& path) { return open_for_reading(path, true); }

std::uint64_t file_size(const FileDescriptor& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw IoError(escape_for_terminal(path) + ": " + system_message(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

// One read, repeated if a signal interrupts it; 0 at the end of the file.
static std::size_t read_some(int fd, const std::string& path, void* to, std::size_t bytes,
                             const std::uint64_t* offset) {
  constexpr std::size_t kMost = std::size_t{1} << 30U;  // the kernel takes at most 2 GiB at a time
  const std::size_t count = std::min(bytes, kMost);
  while (true) {
    const ssize_t got = offset ? ::pread(fd, to, count, static_cast<off_t>(*offset)) : ::read(fd, to, count);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw IoError(escape_for_terminal(path) + ": reading failed: " + system_message(errno));
  }
}

void read_at(const FileDescriptor& file, const std::string& path, std::uint64_t offset, void* to, std::size_t bytes) {
  auto* at = static_cast<std::byte*>(to);
  while (bytes > 0) {
    const std::size_t got = read_some(file.get(), path, at, bytes, &offset);
    if (got == 0) {
      throw DataError(escape_for_terminal(path) + ": ends at byte " + std::to_string(offset) + ", " +
                      std::to_string(bytes) + " bytes too early; the file is truncated");
    }
    at += got;
    offset += got;
    bytes -= got;
  }
}

std::string read_file(const std::string& path, const ReadOptions& options) {
  const FileDescriptor file = open_for_reading(path, options.regular_only);
  const std::uint64_t expected = file_size(file, path);
  const auto refuse = [&](const std::string& size) {
    throw DataError(escape_for_terminal(path) + ": must be at most " + std::to_string(options.max_bytes) +
                    " bytes, got " + size);
  };
  if (expected > options.max_bytes) refuse(std::to_string(expected));
  std::string content(static_cast<std::size_t>(expected), '\0');
  std::size_t filled = 0;
  // Reads to the actual end: /proc files report size 0, pipes have no size, and a file may grow.
  while (true) {
    if (filled == content.size()) content.resize(content.size() + std::max<std::size_t>(4096, content.size() / 8));
    const std::size_t got = read_some(file.get(), path, content.data() + filled, content.size() - filled, nullptr);
    if (got == 0) break;
    filled += got;
    if (filled > options.max_bytes) refuse("more");
  }
  content.resize(filled);
  return content;
}

MappedFile::MappedFile(const std::string& path) : MappedFile(open_regular_file(path), path) {}

MappedFile::MappedFile(const FileDescriptor& file, const std::string& path) {
  const std::uint64_t size = file_size(file, path);
  if (size == 0) return;  // mmap rejects an empty range
  if (size > std::numeric_limits<std::size_t>::max()) throw IoError(escape_for_terminal(path) + ": too large to map");
  void* mapped = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) {
    throw IoError(escape_for_terminal(path) + ": cannot be mapped to memory: " + system_message(errno));
  }
  data_ = static_cast<const std::byte*>(mapped);
  size_ = static_cast<std::size_t>(size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace rapt
