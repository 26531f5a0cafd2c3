// How fast this machine trains a network, measured: what the lengths that are given in minutes are computed from.
#pragma once

#include "nn/models/any_network.h"
#include "train/optimise/trainer.h"

namespace rapt {

/// Seconds.
struct Pace {
  double update = 0;  ///< of one update
  double token = 0;   ///< of one token of an update
  double look = 0;    ///< of one token of a validation, forward only
};

/// Trains a copy of the network for about a second and throws it away.
Pace measure_pace(const TrainConfig& config, const NetworkConfig& network, const TrainingData& data);

}  // namespace rapt
