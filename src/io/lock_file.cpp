#include "io/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <thread>

#include "io/escape.h"
#include "io/file.h"
#include "io/host_name.h"
#include "tensor/error.h"

namespace rapt {

// Local date and time as "2026-01-31 10:02:11".
static std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

static std::string read_holder(int fd) {
  std::array<char, 512> text{};
  // The holder writes its line right after it took the lock; wait for that moment to pass.
  for (int attempt = 0; attempt < 20; ++attempt) {
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    if (got > 0) return {text.data(), static_cast<std::size_t>(got)};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

static std::string in_use_message(const std::string& folder, const std::string& holder) {
  std::istringstream words(holder);
  std::string pid, host, date, time;
  std::string message = escape_for_terminal(folder) + " is in use by ";
  if (words >> pid >> host >> date >> time) {
    const bool today = now().rfind(date, 0) == 0;
    message += "pid " + escape_for_terminal(pid) + " on host " + escape_for_terminal(host) + " since " +
               escape_for_terminal(today ? time : date + ' ' + time);
  } else {
    message += "another run";
  }
  return message + "; use another --out or stop that run";
}

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "lock").string();
  file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (!file_) throw CannotCreateError(escape_for_terminal(path) + ": cannot be created: " + system_message(errno));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw CannotCreateError(escape_for_terminal(path) + ": must be a regular file");
  }
  int locked = 0;
  do {
    locked = ::flock(file_.get(), LOCK_EX | LOCK_NB);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0 && errno == EWOULDBLOCK) throw CannotCreateError(in_use_message(folder, read_holder(file_.get())));
  if (locked != 0) {
    if (errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOLCK) {
      throw CannotCreateError(escape_for_terminal(path) + ": cannot be locked: " + system_message(errno));
    }
    enforced_ = false;
  }
  const std::string line = std::to_string(::getpid()) + ' ' + host_name() + ' ' + now() + '\n';
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    // The line only improves another run's message. The lock holds without it, even on a full disk.
  }
}

FolderLock::~FolderLock() {
  // Emptied, not removed: after removal, two processes could lock two files of the same name.
  if (file_ && ::ftruncate(file_.get(), 0) != 0) {
    // The lock ends with the descriptor in any case.
  }
}

}  // namespace rapt
