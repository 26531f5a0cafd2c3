// A run folder on disk, for tests that read one.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "train/files/run_folder.h"

namespace rapt {

/// A run folder whose checkpoints are text files: the step, "finished", or "broken".
struct TestRun {
  std::filesystem::path root = std::filesystem::temp_directory_path() / ("rapt_run_" + std::to_string(::getpid()));
  RunFolder folder{(root / "run").string()};
  TestRun() { std::filesystem::create_directories(folder.path); }
  ~TestRun() { std::filesystem::remove_all(root); }
  void put(const std::string& path, const std::string& text) const { std::ofstream(path) << text; }
  void checkpoint(std::int64_t step) const { put(folder.checkpoint(step), std::to_string(step)); }
};

}  // namespace rapt
