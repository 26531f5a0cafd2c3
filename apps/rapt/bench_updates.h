// Timing of whole updates, shared by bench step and bench finetune.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "io/json.h"
#include "options.h"
#include "train/optimise/trainer.h"

namespace rapt::app {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);
double median(std::vector<double> values);

/// Updates that were timed one by one, after untimed warm-up updates.
struct UpdateTimes {
  std::vector<double> seconds;
  double total = 0;             ///< seconds of all of them
  std::int64_t tokens = 0;      ///< in their sequences
  double loss = 0;              ///< of the last one
  std::size_t allocations = 0;  ///< from the system after the first update
};

/// \param profile  measures the timed updates; may be nullptr
UpdateTimes time_updates(Trainer& trainer, std::int64_t warmup, std::int64_t steps, Profile* profile);

/// The options --warm, --profile and --json.
std::vector<Option> update_options();

/// The report, with the same keys as ../shared/bench/common.py.
/// \param flop_per_token  operations per token of an update
/// \param peak            operations per second of matrix products, measured before anything was allocated
Json report_updates(const std::string& what, const UpdateTimes& times, double flop_per_token, double peak);

/// The report as an object (--json) or a line, with the profile unless it is nullptr.
void print_updates(Json report, const Profile* profile, bool json);

}  // namespace rapt::app
