// Whole training runs, interrupted and resumed, and checks whether two runs ended with the same bits.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <regex>
#include <string>
#include <vector>

#include "io/temporary_folder.h"
#include "train/files/checkpoint_file.h"
#include "train/run/run.h"

namespace rapt::testing {

inline RunRequest run_of(const std::vector<FlagValue>& flags) {
  RunRequest request;
  request.config = layer_config("", "", flags);
  request.progress.quiet = true;
  request.sink = [](std::string_view) {};
  return request;
}

inline RunResult run(const RunRequest& request) {
  const StopSignals signals;
  return run_training(request, signals);
}

/// Runs and sends SIGTERM at the `n`-th reported batch of lines.
inline RunResult run_interrupted(RunRequest request, int n) {
  request.progress.quiet = false;
  int told = 0;
  request.sink = [&told, n](std::string_view) {
    if (++told == n) std::raise(SIGTERM);
  };
  return run(request);
}

inline std::string metrics_without_clock(const std::string& folder) {
  return std::regex_replace(read_plainly(folder + "/metrics.jsonl"), std::regex(",\"wall_clock\":\\{[^}]*\\}"), "");
}

/// Weights, optimiser, state and metrics of two run folders.
inline void check_same(const std::string& a, const std::string& b) {
  const CheckpointFile first(a + "/last.h5"), second(b + "/last.h5");
  REQUIRE(first.tensors().size() == second.tensors().size());
  for (const auto& t : first.tensors()) {
    std::vector<char> x(static_cast<std::size_t>(t.count()) * size_of(t.dtype)), y = x;
    first.read_into(t.name, t.dtype, x.data(), t.count());
    second.read_into(t.name, t.dtype, y.data(), t.count());
    CHECK_MESSAGE(x == y, t.name);
  }
  CHECK(first.state() == second.state());
  CHECK(metrics_without_clock(a) == metrics_without_clock(b));
}

}  // namespace rapt::testing
