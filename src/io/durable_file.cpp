#include "io/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "io/crc32c.h"
#include "io/escape.h"
#include "io/file.h"
#include "tensor/error.h"

namespace rapt {

static std::string folder_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

DurableFile::DurableFile(std::string path, std::uint64_t reserve_bytes, IfExists if_exists)
    : path_(std::move(path)), folder_(folder_of(path_)), if_exists_(if_exists), reserved_(reserve_bytes) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      throw CannotCreateError(escape_for_terminal(path_) + ": cannot be written, it is a folder");
    }
    if (if_exists_ == IfExists::kRefuse) {
      throw CannotCreateError(escape_for_terminal(path_) + ": exists already; choose another name or remove it");
    }
  }
  create_temporary();
  try {
    reserve();
  } catch (...) {
    discard();
    throw;
  }
}

DurableFile::~DurableFile() { discard(); }

void DurableFile::discard() noexcept {
  if (!file_) return;
  file_ = FileDescriptor();
  ::unlink(temporary_.c_str());
  temporary_name_.forget();
}

void DurableFile::create_temporary() {
  const std::string base = path_ + ".tmp." + std::to_string(::getpid());
  // A leftover of a killed process with the same pid (always the same in a container) must not block the save.
  constexpr int kTries = 1000;
  for (int n = 0; n < kTries; ++n) {
    temporary_ = n == 0 ? base : base + '.' + std::to_string(n);
    file_ = temporary_name_.create(temporary_, 0666);
    if (file_) return;
    if (errno == EEXIST || errno == EINTR) continue;
    if (errno == ENOENT || errno == ENOTDIR) {
      throw CannotCreateError(escape_for_terminal(path_) +
                              ": cannot be created, folder not found: " + escape_for_terminal(folder_));
    }
    if (errno == ENOSPC || errno == EDQUOT || errno == EIO) fail("cannot be created", errno, reserved_);
    throw CannotCreateError(escape_for_terminal(path_) + ": cannot be created: " + system_message(errno));
  }
  throw CannotCreateError(escape_for_terminal(path_) + ": cannot be created, " + std::to_string(kTries) +
                          " temporary files " + escape_for_terminal(base) + ".* exist already; remove them");
}

void DurableFile::reserve() {
  if (reserved_ == 0) return;
  if (reserved_ > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    fail("cannot be written", EFBIG, reserved_);
  }
  int error = 0;
  do {
    error = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(reserved_));
  } while (error == EINTR);
  // A file system without reservations (EOPNOTSUPP beyond what the C library emulates) detects a full disk while
  // writing.
  if (error != 0 && error != EOPNOTSUPP && error != EINVAL && error != ENODEV) {
    fail("cannot be written", error, reserved_);
  }
}

void DurableFile::fail(const std::string& doing, int error, std::uint64_t needed) {
  std::string message = escape_for_terminal(path_) + ": " + doing + ": ";
  if (error == ENOSPC || error == EDQUOT) {
    if (file_ && ::ftruncate(file_.get(), 0) != 0) {
      // On failure, only the number of free bytes below is too small.
    }
    message += error == ENOSPC ? "disk full, " : "quota exceeded, ";
    message += readable_bytes(needed) + " needed";
    struct statvfs space {};
    if (::statvfs(folder_.c_str(), &space) == 0) {
      message += ", " + readable_bytes(std::uint64_t{space.f_bavail} * space.f_frsize) +
                 " free on the file system of " + escape_for_terminal(folder_);
    }
    message += "; make room or choose another folder";
  } else if (error == EFBIG) {
    message += "the limit on file sizes is below " + readable_bytes(needed) + " here (see ulimit -f)";
  } else {
    message += system_message(error);
  }
  discard();
  throw IoError(message);
}

void DurableFile::write_all(std::uint64_t offset, const void* data, std::size_t bytes) {
  if (!file_) throw IoError(escape_for_terminal(path_) + ": cannot be written, an earlier write failed");
  const auto* at = static_cast<const char*>(data);
  constexpr std::size_t kMost = std::size_t{1} << 30U;  // the kernel takes at most 2 GiB at a time
  while (bytes > 0) {
    const ssize_t put = ::pwrite(file_.get(), at, std::min(bytes, kMost), static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      fail("writing failed", errno, std::max(reserved_, offset + bytes));
    }
    at += put;
    offset += static_cast<std::uint64_t>(put);
    bytes -= static_cast<std::size_t>(put);
  }
}

void DurableFile::append(const void* data, std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;  // small enough to stay in the cache for the checksum
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const std::size_t count = std::min(bytes, kPiece);
    crc_ = crc32c(at, count, crc_);
    write_all(size_, at, count);
    size_ += count;
    at += count;
    bytes -= count;
  }
}

void DurableFile::append_zeros(std::uint64_t bytes) {
  static constexpr std::array<char, 4096> kZeros{};
  while (bytes > 0) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kZeros.size()));
    append(kZeros.data(), count);
    bytes -= count;
  }
}

void DurableFile::overwrite(std::uint64_t offset, const void* data, std::size_t bytes) {
  if (offset > size_ || bytes > size_ - offset) {
    throw BugError(escape_for_terminal(path_) + ": only appended bytes can be overwritten, got " +
                   std::to_string(bytes) + " at " + std::to_string(offset) + " of " + std::to_string(size_));
  }
  write_all(offset, data, bytes);
}

// fsync. Only an interrupted one is repeated, because then nothing has failed.
static int sync(int fd) {
  int result = 0;
  do {
    result = ::fsync(fd);
  } while (result != 0 && errno == EINTR);
  return result;
}

// Renames `from` to `to` unless `to` exists. Returns errno, or 0 on success.
static int rename_without_replacing(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // File systems without that flag (such as NFS) have hard links, which do not replace either.
  if (::link(from, to) != 0) return errno;
  ::unlink(from);
  return 0;
}

void DurableFile::commit() {
  if (!file_) throw IoError(escape_for_terminal(path_) + ": cannot be finished, an earlier write failed");
  if (reserved_ > size_ && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
    fail("writing failed", errno, reserved_);
  }
  if (sync(file_.get()) != 0) fail("flushing it to disk failed (fsync)", errno, std::max(reserved_, size_));
  int error = 0;
  if (if_exists_ == IfExists::kRefuse) {
    error = rename_without_replacing(temporary_.c_str(), path_.c_str());
  } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    error = errno;
  }
  if (error == EEXIST) {
    discard();
    throw CannotCreateError(escape_for_terminal(path_) + ": exists already; choose another name or remove it");
  }
  if (error != 0) fail("renaming it failed", error, std::max(reserved_, size_));
  file_ = FileDescriptor();
  temporary_name_.forget();
  sync_folder(folder_);
}

void sync_folder(const std::string& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened)
    throw IoError(escape_for_terminal(folder) + ": cannot be opened to flush it to disk: " + system_message(errno));
  // EINVAL: a file system whose folders have no fsync; there is nothing to flush.
  if (sync(opened.get()) != 0 && errno != EINVAL) {
    throw IoError(escape_for_terminal(folder) +
                  ": flushing the folder to disk failed (fsync): " + system_message(errno));
  }
}

void write_file_durably(const std::string& path, std::string_view bytes, IfExists if_exists) {
  DurableFile file(path, bytes.size(), if_exists);
  file.append(bytes);
  file.commit();
}

// "last.h5.tmp.4242" or "last.h5.tmp.4242.1"
static bool is_leftover(const std::string& name) {
  const std::size_t mark = name.rfind(".tmp.");
  if (mark == std::string::npos || mark == 0) return false;
  const std::string_view rest = std::string_view(name).substr(mark + 5);
  return !rest.empty() && rest.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::vector<std::string> remove_leftovers(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (is_leftover(name) && entry->symlink_status(ignored).type() == fs::file_type::regular) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> removed;
  for (const std::string& name : found) {
    if (::unlink((fs::path(folder) / name).c_str()) == 0) removed.push_back(name);
  }
  return removed;
}

}  // namespace rapt
