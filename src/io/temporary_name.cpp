#include "io/temporary_name.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>

namespace rapt {

namespace {

// The data that a signal handler may read: memory that is never freed, and flags without locks.
enum SlotState : int { kFree, kBeingCreated, kCreated };
struct Slot {
  std::atomic<int> state = kFree;
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<int>::is_always_lock_free);
constexpr std::size_t kSlots = 32;  // files being written at the same time; further ones are not removed
std::array<Slot, kSlots> g_slots;

}  // namespace

FileDescriptor TemporaryName::create(const std::string& path, unsigned mode) {
  forget();
  // This thread receives no signals meanwhile. Another thread may, and then waits (remove_temporary_files).
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  for (std::size_t i = 0; i < kSlots && slot_ == kNone && path.size() < PATH_MAX; ++i) {
    int expected = kFree;
    if (g_slots[i].state.compare_exchange_strong(expected, kBeingCreated)) slot_ = i;
  }
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  const int error = errno;
  if (slot_ != kNone && file) {
    std::memcpy(g_slots[slot_].path.data(), path.c_str(), path.size() + 1);
    g_slots[slot_].state = kCreated;
  } else {
    forget();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return file;
}

void TemporaryName::forget() noexcept {
  if (slot_ != kNone) g_slots[slot_].state = kFree;
  slot_ = kNone;
}

void remove_temporary_files() noexcept {
  for (Slot& slot : g_slots) {
    constexpr int kTries = 1000;  // a second: a file system that hangs must not keep the process alive
    const struct timespec millisecond { 0, 1000000 };
    for (int n = 0; slot.state == kBeingCreated && n < kTries; ++n) ::nanosleep(&millisecond, nullptr);
    if (slot.state == kCreated) ::unlink(slot.path.data());
  }
}

extern "C" {
// SA_RESETHAND has already restored the default action, so the second signal ends the process as intended.
static void remove_and_end(int number) {
  remove_temporary_files();
  ::raise(number);
}
}

void remove_temporary_files_on_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remove_and_end;
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

}  // namespace rapt
