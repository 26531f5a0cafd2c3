// INT, TERM, HUP and USR1 as a wish to stop: a training run finishes its update, saves and ends in order.
#pragma once

#include <array>
#include <csignal>

namespace rapt {

/// While one of these lives, the first signal is only noted and the second one ends the process at once with 128 + its
/// number, temporary files removed and the last checkpoint being whole at any time. HUP stays ignored where it was,
/// under nohup. One at a time may live in a process; the handlers from before come back when it goes.
class StopSignals final {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool requested() const { return number() != 0; }
  /// The signal that came; 0 if none did.
  int number() const;
  /// "SIGTERM"; "" if none came.
  const char* name() const;

 private:
  static constexpr std::array<int, 4> kNumbers = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  std::array<struct sigaction, 4> before_{};
};

}  // namespace rapt
