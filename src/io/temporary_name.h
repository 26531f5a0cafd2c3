// Names of temporary files that must be removed if a signal ends the process. Destructors remove them after errors, but
// signals run no destructors.
#pragma once

#include <cstddef>
#include <string>

#include "io/file.h"

namespace rapt {

/// The name of a temporary file, which remove_temporary_files() removes while this object exists. Does not remove it
/// itself.
class TemporaryName final {
 public:
  TemporaryName() = default;
  ~TemporaryName() { forget(); }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

  /// Creates the file, which must not exist, for reading and writing. Signals are blocked until the file is registered.
  /// If it cannot be created, the result is not open and errno is set.
  FileDescriptor create(const std::string& path, unsigned mode);

  /// Call after the file has been renamed or removed.
  void forget() noexcept;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t slot_ = kNone;
};

/// Removes the files of all existing TemporaryNames. May be called from a signal handler.
void remove_temporary_files() noexcept;

/// From now on, INT, TERM, HUP and QUIT remove the temporary files and then end the process as usual. Ignored signals
/// (nohup, background jobs) stay ignored.
void remove_temporary_files_on_signals();

}  // namespace rapt
