// The part of a process that does not lead: it computes its shards of each update, and does what the leader orders.
#pragma once

#include "train/run/orders.h"
#include "train/run/run.h"

namespace rapt {

/// Refuses a team whose processes differ in what the weights depend on: the program, its kernels, the settings.
/// \throws ConfigError  on all processes, naming two of them and what they have
void require_same_requests(const RunRequest& request);

/// Follows the leader's orders until the last one. Returns the exit code.
/// \throws ConfigError  if this process reads other data than the leader
/// \throws Error        as run_training
int follow(const RunRequest& request, const StopSignals& signals);

/// What the leader tells the others about a run that begins.
struct RunAnnouncement {
  std::string config;      ///< all settings, as TOML
  std::string checkpoint;  ///< path of the checkpoint that the run continues from, or of a model's
  bool is_new = false;     ///< the checkpoint is of a model alone
  std::string inputs;      ///< as in a manifest
};
std::string to_text(const RunAnnouncement& run);

}  // namespace rapt
