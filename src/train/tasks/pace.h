// The measured training speed of a network on this machine, from which lengths in minutes are computed.
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

/// Trains a temporary copy of the network for about a second, in the precision of the settings, which becomes the
/// program's.
Pace measure_pace(const TrainConfig& config, const NetworkConfig& network, const TrainingData& data);

}  // namespace rapt
