#include "train/run/signals.h"

#include <unistd.h>

#include <cstddef>
#include <stdexcept>

#include "io/temporary_name.h"

namespace rapt {

// What a handler may access: one flag that is written atomically.
static volatile std::sig_atomic_t g_signal = 0;
static bool g_alive = false;

extern "C" {
static void note_signal(int number) {
  if (g_signal != 0) {
    remove_temporary_files();
    _exit(128 + number);
  }
  g_signal = number;
}
}

StopSignals::StopSignals() {
  if (g_alive) throw std::logic_error("signals: only one StopSignals may live at a time");
  g_alive = true;
  g_signal = 0;
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = note_signal;
    sigemptyset(&action.sa_mask);
    // Reads and writes that a signal interrupts are restarted.
    action.sa_flags = SA_RESTART;
    sigaction(kNumbers[i], nullptr, &before_[i]);
    // nohup asks for HUP to be ignored. If INT is ignored, it only means that a script started the program with &.
    const bool keep_ignoring = kNumbers[i] == SIGHUP && before_[i].sa_handler == SIG_IGN;
    if (!keep_ignoring) sigaction(kNumbers[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kNumbers.size(); ++i) sigaction(kNumbers[i], &before_[i], nullptr);
  g_alive = false;
}

int StopSignals::number() const { return g_signal; }

const char* StopSignals::name_of(int number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGHUP:
      return "SIGHUP";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      return "";
  }
}

}  // namespace rapt
