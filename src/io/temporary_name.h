// Names of temporary files that must not outlive the process when a signal ends it. Destructors remove them after
// errors; signals run no destructors.
#pragma once

#include <cstddef>
#include <string>

#include "io/file.h"

namespace rapt {

/// The name of a temporary file, which remove_temporary_files() removes while this lives. Does not remove it itself.
class TemporaryName final {
 public:
  TemporaryName() = default;
  ~TemporaryName() { forget(); }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

  /// Creates the file, which must not exist, for reading and writing; no signal comes between the file and its being
  /// remembered. Not open, with errno, if it cannot be created.
  FileDescriptor create(const std::string& path, unsigned mode);

  /// The file has been renamed or removed.
  void forget() noexcept;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t slot_ = kNone;
};

/// Removes the files of all living TemporaryNames. May be called from a signal handler.
void remove_temporary_files() noexcept;

/// From now on INT, TERM, HUP and QUIT remove the temporary files before they end the process, as they would have by
/// themselves. Signals that are ignored (nohup, a job in the background) stay ignored.
void remove_temporary_files_on_signals();

}  // namespace rapt
