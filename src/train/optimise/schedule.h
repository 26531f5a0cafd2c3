// Learning-rate schedules.
#pragma once

#include <cstdint>
#include <string_view>

namespace rapt {

enum class ScheduleKind {
  kConstant,
  kLinear,       ///< linear decay to the minimum at the end
  kCosine,       ///< half a cosine to the minimum (Loshchilov, Hutter 2017, arXiv 1608.03983, without restarts)
  kInverseSqrt,  ///< peak * sqrt(warmup / t)
  kNoam,     ///< width^-0.5 min(t^-0.5, t warmup^-1.5) * peak (Vaswani et al. 2017, section 5.3; peak is the factor)
  kPlateau,  ///< constant; the run lowers the rate after validations without improvement
  kWarmupStable,  ///< warm-up, constant, linear decay over the last `decay` updates (Hu et al. 2024, arXiv 2404.06395)
};

/// The start of a linear warm-up. transformers counts updates from 0, so the first one has rate 0; nanoGPT starts one
/// step above 0, so that no update is lost.
enum class WarmupStart { kZero, kFirstStep };

struct RateSchedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  double peak = 1e-3;
  double minimum = 0;
  std::int64_t begin = 0;    ///< updates before it
  std::int64_t warmup = 0;   ///< updates
  std::int64_t total = 0;    ///< updates from its start to its end; for kinds that end
  std::int64_t decay = 0;    ///< updates of the final decay, for kWarmupStable
  std::int64_t width = 512;  ///< model width, for kNoam
  WarmupStart start = WarmupStart::kFirstStep;

  /// The learning rate of update `done` + 1, after `done` updates.
  double rate(std::int64_t done) const;
};

/// constant, linear, cosine, inverse-sqrt, noam, plateau, wsd.
/// \throws UsageError  listing them
ScheduleKind schedule_named(std::string_view name);

}  // namespace rapt
