// How good a network is on held-out data, in numbers that a run tells and decides by.
#pragma once

#include <algorithm>
#include <cmath>
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

/// `chosen` of `all` things, evenly spaced: the same ones each time. Each of them if `chosen` is not fewer.
inline std::vector<std::int64_t> evenly_spaced(std::int64_t all, std::int64_t chosen) {
  chosen = std::min(all, std::max<std::int64_t>(1, chosen));
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < chosen; ++i) indices.push_back(i * all / chosen);
  return indices;
}

/// Which of the batches of held-out data a validation of `most` tokens reads (0: all of them).
/// \param sequences, batch  held out, in a batch; tokens: of all sequences
/// \return  the first sequence of each
inline std::vector<std::int64_t> batches_to_read(std::int64_t sequences, std::int64_t batch, double tokens,
                                                 std::int64_t most) {
  const std::int64_t batches = (sequences + batch - 1) / batch;
  const double share = most > 0 && tokens > 0 ? std::min(1.0, static_cast<double>(most) / tokens) : 1;
  std::vector<std::int64_t> firsts =
      evenly_spaced(batches, static_cast<std::int64_t>(std::llround(share * static_cast<double>(batches))));
  for (std::int64_t& first : firsts) first *= batch;
  return firsts;
}

}  // namespace rapt
