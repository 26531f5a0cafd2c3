// The result of evaluating a network on held-out data.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "train/team/team.h"

namespace rapt {

/// Approximate number of tokens per forward pass without gradients: enough to keep the products large.
inline constexpr std::int64_t kEvaluationRows = 4096;

/// The result of one validation.
struct Evaluation {
  double loss = 0;           ///< mean over all predictions, in nats
  std::int64_t targets = 0;  ///< number of predictions in that mean
  /// Metrics by name, in the order of reports: perplexity, bits_per_byte, accuracy ...
  std::vector<std::pair<std::string, double>> metrics;
  /// The score that selects the best checkpoint: higher is better.
  double score = 0;
  double share = 1;  ///< share of the held-out data that was read
};

/// Converts a mean loss in nats per token to bits per byte of the text; NaN if its bytes are not known.
inline double bits_per_byte(double loss, std::int64_t targets, double text_bytes) {
  if (text_bytes <= 0) return std::numeric_limits<double>::quiet_NaN();
  return loss * static_cast<double>(targets) / (std::numbers::ln2 * text_bytes);
}

/// `chosen` of `all` items, evenly spaced, always the same ones. All of them if `chosen` is not fewer.
inline std::vector<std::int64_t> evenly_spaced(std::int64_t all, std::int64_t chosen) {
  chosen = std::min(all, std::max<std::int64_t>(1, chosen));
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < chosen; ++i) indices.push_back(i * all / chosen);
  return indices;
}

/// The held-out sequences that a validation of about `most` tokens reads: batches, evenly spaced.
struct PartToRead {
  std::vector<std::int64_t> firsts;  ///< the first sequence of each batch
  std::int64_t batch = 1;            ///< sequences per batch, except for the last of all
  double share = 1;                  ///< of all sequences

  /// \param batch   maximum number of sequences per batch
  /// \param tokens  of all sequences
  /// \param most    0: everything is read
  PartToRead(std::int64_t sequences, std::int64_t batch_at_most, double tokens, std::int64_t most)
      : batch(batch_at_most) {
    if (most > 0 && tokens > static_cast<double>(most)) {
      const double wanted = static_cast<double>(sequences) * static_cast<double>(most) / tokens;
      batch = std::clamp<std::int64_t>(std::llround(wanted), 1, batch);
      share = wanted / static_cast<double>(sequences);
    }
    const std::int64_t batches = (sequences + batch - 1) / batch;
    firsts = evenly_spaced(batches, std::llround(share * static_cast<double>(batches)));
    share = static_cast<double>(firsts.size()) / static_cast<double>(std::max<std::int64_t>(1, batches));
    for (std::int64_t& first : firsts) first *= batch;
  }
};

/// The sums of all batches of `part`, added in their order: the same bits on any number of processes.
/// \param sums_of  sums_of(first) for the batch that begins with this sequence; its result has +=
template <typename SumsOf>
auto sum_over_batches(const PartToRead& part, Team& team, const SumsOf& sums_of) {
  using Sums = decltype(sums_of(std::int64_t{}));
  Sums total = {};
  const auto size = static_cast<std::size_t>(team.size());
  for (std::size_t i = 0; i < part.firsts.size(); i += size) {
    const std::size_t mine = i + static_cast<std::size_t>(team.rank());
    for (const Sums& sums : team.gather(mine < part.firsts.size() ? sums_of(part.firsts[mine]) : Sums{})) total += sums;
  }
  return total;
}

}  // namespace rapt
