// Finds ../shared, real data that is not part of the repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/source_folder.h"

namespace rapt {

/// The path of `name` in ../shared (or in the folder in RAPT_SHARED); empty, with a message, if it does not exist. If
/// RAPT_REQUIRE_SHARED is set, as in .ci/run, the test fails then.
inline std::string shared_data(const std::string& name) {
  const char* variable = std::getenv("RAPT_SHARED");
  const std::filesystem::path root = variable != nullptr ? variable : std::string(source_folder()) + "/../shared";
  if (std::filesystem::exists(root / name)) return (root / name).string();
  const char* required = std::getenv("RAPT_REQUIRE_SHARED");
  if (required != nullptr && *required != '\0')
    FAIL((root / name).string() << " does not exist, and RAPT_REQUIRE_SHARED is set");
  MESSAGE("skipped: no ../shared");
  return "";
}

}  // namespace rapt
