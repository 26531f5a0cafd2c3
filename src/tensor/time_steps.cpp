#include "tensor/time_steps.h"

#include <algorithm>
#include <numeric>

namespace rapt {

TimeSteps time_steps(const Packed& layout, Direction direction) {
  const auto offsets = layout.offsets.span<std::int32_t>();
  const auto length = [&](std::int32_t b) {
    return offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)];
  };
  TimeSteps steps;
  steps.sequences.resize(offsets.size() - 1);
  std::iota(steps.sequences.begin(), steps.sequences.end(), 0);
  std::ranges::stable_sort(steps.sequences, std::ranges::greater(), length);
  steps.rows.reserve(static_cast<std::size_t>(layout.rows()));
  steps.starts.push_back(0);
  for (std::int32_t t = 0; t < layout.longest; ++t) {
    for (const std::int32_t b : steps.sequences) {
      if (length(b) <= t) break;
      const auto s = static_cast<std::size_t>(b);
      steps.rows.push_back(direction == Direction::kForward ? offsets[s] + t : offsets[s + 1] - 1 - t);
    }
    steps.starts.push_back(static_cast<Dim>(steps.rows.size()));
  }
  return steps;
}

}  // namespace rapt
