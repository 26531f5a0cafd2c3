#include "train/optimise/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/names.h"

namespace rapt {

double RateSchedule::rate(std::int64_t done) const {
  done = std::max<std::int64_t>(0, done - begin);
  const auto t = static_cast<double>(done), w = static_cast<double>(warmup);
  if (kind == ScheduleKind::kNoam) {
    const double update = t + 1;
    return peak / std::sqrt(static_cast<double>(width)) *
           std::min(1 / std::sqrt(update), warmup > 0 ? update * std::pow(w, -1.5) : INFINITY);
  }
  if (done < warmup) return start == WarmupStart::kZero ? peak * t / w : peak * (t + 1) / (w + 1);
  const double after = t - w, span = std::max(1.0, static_cast<double>(total) - w);
  const double passed = std::min(1.0, after / span);
  switch (kind) {
    case ScheduleKind::kLinear:
      return minimum + (peak - minimum) * (1 - passed);
    case ScheduleKind::kCosine:
      return minimum + 0.5 * (peak - minimum) * (1 + std::cos(std::numbers::pi * passed));
    case ScheduleKind::kInverseSqrt:
      return std::max(minimum, peak * std::sqrt(std::max(1.0, w) / std::max(1.0, t)));
    case ScheduleKind::kWarmupStable: {
      const auto left = static_cast<double>(total - done),
                 falling = static_cast<double>(std::max<std::int64_t>(1, decay));
      return minimum + (peak - minimum) * std::clamp(left / falling, 0.0, 1.0);
    }
    default:
      return peak;
  }
}

ScheduleKind schedule_named(std::string_view name) {
  static constexpr std::pair<ScheduleKind, const char*> kNames[] = {
      {ScheduleKind::kConstant, "constant"}, {ScheduleKind::kLinear, "linear"},
      {ScheduleKind::kCosine, "cosine"},     {ScheduleKind::kInverseSqrt, "inverse-sqrt"},
      {ScheduleKind::kNoam, "noam"},         {ScheduleKind::kPlateau, "plateau"},
      {ScheduleKind::kWarmupStable, "wsd"}};
  return value_named(name, kNames, "schedule:");
}

}  // namespace rapt
