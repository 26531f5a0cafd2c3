// What a run would need and how fast it would be, alone and on several processes, from measurements on this machine.
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
  double sent = 0;       ///< bytes an update
  double overlap = 0;    ///< seconds an update during which gradients can be sent while the backward pass goes on
  double adding = 0;     ///< seconds an update: adding the gradients that arrive

  /// Seconds an update that are waited for a network of this many bytes per second in each direction.
  ///
  /// Each process sends 2 (R - 1) / R of the gradient's size, receiving as much at the same time. The first half,
  /// gradients, goes on during the backward pass, which is two thirds of the passes; what does not fit into it is
  /// waited for. The second half, weights, is waited for. What arrives is added at the rate of this machine's memory.
  double network(double rate) const;
  double update(double rate) const { return compute + optimizer + network(rate); }
};

struct TeamPlan {
  std::int64_t parameters = 0;  ///< trained
  RankPlan alone;
  std::vector<RankPlan> teams;  ///< for each number of ranks that was asked for
};

/// Settles the run, as print-config does, and measures its updates, three or as many as fit into a second: alone, and
/// with each number of ranks' share of the sequences. Leaves no files.
///
/// \param ranks  powers of two
/// \throws Error  as run_training
TeamPlan plan_team(const RunRequest& request, const std::vector<int>& ranks);

}  // namespace rapt
