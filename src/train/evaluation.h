// How good a network is on held-out data, in numbers that a run tells and decides by.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rapt {

/// One validation.
struct Evaluation {
  double loss = 0;           ///< mean over what is predicted, in nats
  std::int64_t targets = 0;  ///< how many predictions that is a mean of
  /// By name, in the order in which they are told: perplexity, bits_per_byte, accuracy ...
  std::vector<std::pair<std::string, double>> metrics;
  /// What decides which checkpoint is the best: the higher the better.
  double score = 0;
};

}  // namespace rapt
