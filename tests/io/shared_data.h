// Finds ../shared, real data that is not part of the repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/source_folder.h"

namespace rapt {

/// The path of `name` in ../shared (or in the folder in RAPT_SHARED); empty, with a message, if it does not exist.
inline std::string shared_data(const std::string& name) {
  const char* variable = std::getenv("RAPT_SHARED");
  const std::filesystem::path root = variable != nullptr ? variable : std::string(source_folder()) + "/../shared";
  if (std::filesystem::exists(root / name)) return (root / name).string();
  MESSAGE("skipped: no ../shared");
  return "";
}

}  // namespace rapt
