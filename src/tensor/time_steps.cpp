#include "tensor/time_steps.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rapt {

std::vector<TimeSteps> grouped_time_steps(const Packed& layout, Direction direction, Dim groups) {
  const auto offsets = layout.offsets.span<std::int32_t>();
  const auto length = [&](std::int32_t b) {
    return offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)];
  };
  std::vector<std::int32_t> sequences(offsets.size() - 1);
  std::iota(sequences.begin(), sequences.end(), 0);
  std::ranges::stable_sort(sequences, std::ranges::greater(), length);
  std::vector<TimeSteps> all(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < sequences.size(); ++i) all[i % all.size()].sequences.push_back(sequences[i]);
  for (TimeSteps& steps : all) {
    steps.starts.push_back(0);
    const std::int32_t longest = steps.sequences.empty() ? 0 : length(steps.sequences.front());
    for (std::int32_t t = 0; t < longest; ++t) {
      for (const std::int32_t b : steps.sequences) {
        if (length(b) <= t) break;
        const auto s = static_cast<std::size_t>(b);
        steps.rows.push_back(direction == Direction::kForward ? offsets[s] + t : offsets[s + 1] - 1 - t);
      }
      steps.starts.push_back(static_cast<Dim>(steps.rows.size()));
    }
  }
  return all;
}

TimeSteps time_steps(const Packed& layout, Direction direction) {
  return std::move(grouped_time_steps(layout, direction, 1).front());
}

}  // namespace rapt
