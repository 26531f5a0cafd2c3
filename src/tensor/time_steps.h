// The rows of a packing in the order in which a recurrent network reads them: all first tokens, all second tokens ...
#pragma once

#include <span>
#include <vector>

#include "tensor/packed.h"

namespace rapt {

/// The direction in which a recurrent layer reads each sequence.
enum class Direction : std::uint8_t { kForward, kReverse };

/// Sequences sorted by length, longest first, so that those which have a token at step t are the first of them: the
/// states of a step are the first rows of the states of the step before.
struct TimeSteps {
  std::vector<std::int32_t> sequences;  ///< [B], longest first; equal lengths in their own order
  std::vector<std::int32_t> rows;       ///< [N]: the rows of step 0, of step 1 ..., each in the order of `sequences`
  std::vector<Dim> starts;              ///< [T+1]: step t has rows[starts[t]] to rows[starts[t + 1] - 1]

  Dim steps() const { return static_cast<Dim>(starts.size()) - 1; }
  /// The rows of step t, one for each sequence that is long enough.
  std::span<const std::int32_t> rows_of(Dim t) const {
    const auto step = static_cast<std::size_t>(t);
    return std::span(rows).subspan(static_cast<std::size_t>(starts[step]),
                                   static_cast<std::size_t>(starts[step + 1] - starts[step]));
  }
};

TimeSteps time_steps(const Packed& layout, Direction direction = Direction::kForward);

/// The same for `groups` groups of sequences, which together have all of them. The lengths in a group are about those
/// in another.
std::vector<TimeSteps> grouped_time_steps(const Packed& layout, Direction direction, Dim groups);

}  // namespace rapt
