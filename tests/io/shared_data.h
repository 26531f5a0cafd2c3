// Finds ../shared, real data that is not part of the repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/source_folder.h"

namespace rapt {

/// The path of `name` in ../shared (or in the folder that RAPT_SHARED names); empty, with a message, if it is not
/// there. With RAPT_REQUIRE_SHARED in the environment, as in .ci/run, that is a failure.
inline std::string shared_data(const std::string& name) {
  const char* variable = std::getenv("RAPT_SHARED");
  const std::filesystem::path root = variable != nullptr ? variable : std::string(source_folder()) + "/../shared";
  if (std::filesystem::exists(root / name)) return (root / name).string();
  const char* required = std::getenv("RAPT_REQUIRE_SHARED");
  if (required != nullptr && *required != '\0')
    FAIL((root / name).string() << " is not there, and must be: RAPT_REQUIRE_SHARED is set");
  MESSAGE("skipped: no ../shared");
  return "";
}

}  // namespace rapt
