// One run per folder: a lock that ends with the process that holds it, however the process ends.
#pragma once

#include <string>

#include "io/file.h"

namespace rapt {

/// Holds `<folder>/lock` (flock) until destroyed. The file names its holder; afterwards it stays, unlocked and empty.
class FolderLock final {
 public:
  /// \param folder  must exist
  /// \throws CannotCreateError  if another process holds the lock, named with pid, host and time:
  ///     runs/a is in use by pid 4242 on host n17 since 10:02:11; use another --out or stop that run
  ///   or if the lock cannot be created there
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(FolderLock&&) noexcept = default;
  FolderLock& operator=(FolderLock&&) = delete;

  /// False on a file system without locks (some cluster disks): nothing then prevents a second run, and the caller
  /// should warn.
  bool enforced() const { return enforced_; }

 private:
  FileDescriptor file_;
  bool enforced_ = true;
};

}  // namespace rapt
