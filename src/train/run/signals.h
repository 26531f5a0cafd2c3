// Handles INT, TERM, HUP and USR1 as requests to stop: a training run finishes its update, saves and ends.
#pragma once

#include <array>
#include <csignal>

namespace rapt {

/// While an object of this class exists, the first signal is only recorded. The second one ends the process at once
/// with 128 + its number, after removing temporary files; the last checkpoint is intact at any time. HUP stays ignored
/// if it was, under nohup. Only one object may exist in a process; its destructor restores the previous handlers.
class StopSignals final {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that arrived, or 0.
  int number() const;
  /// "SIGTERM"; "" for 0.
  static const char* name_of(int number);

 private:
  static constexpr std::array<int, 4> kNumbers = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  std::array<struct sigaction, 4> before_{};
};

}  // namespace rapt
