#include "train/files/scratch_folder.h"

#include <stdlib.h>

#include <filesystem>

#include "tensor/error.h"

namespace rapt {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "rapt-settings-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw CannotCreateError("cannot create a temporary folder " + name);
  folder_.path = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code none;
  fs::remove_all(folder_.path, none);
}

}  // namespace rapt
