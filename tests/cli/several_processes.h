// Starts rapt as several processes, by mpirun.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "run_program.h"
#include "train/team/transport.h"

namespace rapt {

inline bool have_mpi() {
  static const bool have = Transport::available() && std::system("mpirun --version >/dev/null 2>&1") == 0;
  if (!have) MESSAGE("skipped: no mpirun, or no MPI when this was built");
  REQUIRE((have || std::getenv("RAPT_REQUIRE_MPI") == nullptr));
  return have;
}

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// What mpirun starts for this many processes of a run.
inline Words processes_of(int count, const Words& words) {
  return Words{"-n", std::to_string(count), RAPT_PROGRAM} + words;
}

inline ProgramResult team(const Workshop& shop, int processes, const Words& words) {
  return shop.wait(shop.start_mpirun(processes_of(processes, words)));
}

inline Words gpt(const std::string& out) {
  return {"train",     "my.txt", "--out",         out,   "--layers",        "2",    "--heads",      "2",
          "--width",   "32",     "--context",     "32",  "--batch",         "6",    "--accumulate", "2",
          "--dropout", "0.1",    "--clip",        "0.5", "--learning-rate", "1e-2", "--tokenizer",  "char",
          "--steps",   "12",     "--eval-every",  "5",   "--save-every",    "4",    "--warmup",     "2",
          "--shards",  "4",      "--check-every", "3"};
}

// The process of a rank: rapt's own children of mpirun carry it in their environment.
inline pid_t pid_of_rank(const Workshop& shop, int rank) {
  const std::filesystem::path folder = std::filesystem::canonical(shop.path("."));
  const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code none;
    if (std::filesystem::read_symlink(entry.path() / "cwd", none) != folder) continue;
    std::ifstream environment(entry.path() / "environ", std::ios::binary);
    for (std::string variable; std::getline(environment, variable, '\0');) {
      if (variable == wanted) return static_cast<pid_t>(std::stol(name));
    }
  }
  return -1;
}

// The validations of a run, without their times.
inline std::string validations(const Workshop& shop, const std::string& run) {
  std::istringstream lines(shop.read(run + "/metrics.jsonl"));
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"validation\"") == std::string::npos) continue;
    all += std::regex_replace(line, std::regex("\"wall_clock\":\\{[^}]*\\}"), "") + '\n';
  }
  return all;
}

inline void wait_for(const Workshop& shop, const std::string& file) {
  while (!shop.has(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace rapt
