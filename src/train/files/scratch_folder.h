// A temporary run folder, for the files that a run would write.
#pragma once

#include "train/files/run_folder.h"

namespace rapt {

/// Exists as long as the object.
class ScratchFolder final {
 public:
  /// \throws CannotCreateError
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const RunFolder& folder() const { return folder_; }

 private:
  RunFolder folder_;
};

}  // namespace rapt
