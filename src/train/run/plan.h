// What a run would need and how fast it would be, alone and on several processes, from one measurement on this machine.
#pragma once

#include <cstdint>
#include <vector>

#include "train/run/run.h"

namespace rapt {

/// One process's part of a run on `ranks` of them, each on a machine like this one.
struct RankPlan {
  int ranks = 1;
  double samples = 0;    ///< sequences of an update per rank
  double memory = 0;     ///< bytes
  double compute = 0;    ///< seconds an update: forward and backward passes
  double optimizer = 0;  ///< seconds an update: clipping and the update of its part of the weights
  double network = 0;    ///< seconds an update: sending gradients and weights, and adding what arrives
  double sent = 0;       ///< bytes an update

  double update() const { return compute + optimizer + network; }
};

struct TeamPlan {
  std::int64_t parameters = 0;  ///< trained
  RankPlan one, team;           ///< alone, and on the ranks that were asked for

  double speedup() const { return one.update() / team.update(); }
};

/// Settles the run, as print-config does, and measures its updates for about a second each: alone, and with a rank's
/// share of the sequences. Leaves no files.
///
/// Each process sends 2 (R - 1) / R of the gradient's size at the network's rate, receiving as much at the same time.
/// The first half, gradients, goes on during the backward pass, which is two thirds of the passes; what does not fit
/// into it is waited for. The second half, weights, is waited for. What arrives is added at the rate of this machine's
/// memory.
///
/// \param ranks  a power of two
/// \param rate   of the network, bytes per second in each direction
/// \throws Error  as run_training
TeamPlan plan_team(const RunRequest& request, int ranks, double rate);

}  // namespace rapt
