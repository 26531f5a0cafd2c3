// What a run tells: each report becomes a line for people and an event for metrics.jsonl in one call, so that the two
// cannot drift apart.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "train/metrics/evaluation.h"
#include "train/run/metrics_log.h"

namespace rapt {

/// One update, as far as it is told.
struct UpdateReport {
  std::int64_t step = 0;         ///< updates done, this one included
  std::int64_t total_steps = 0;  ///< of the whole run; 0: not known
  double epoch = 0;              ///< passes over the data, fractional
  std::int64_t tokens = 0;       ///< predicted since the run began
  double loss = 0;               ///< mean over the update's targets, in nats
  double learning_rate = 0;
  double grad_norm = 0;  ///< before clipping
  // The clock and the machine:
  double seconds = 0;             ///< since the run began, earlier sittings included
  double remaining_seconds = -1;  ///< < 0: not known
  double tokens_per_second = 0;
  double share_of_peak = 0;  ///< of the machine's sgemm peak; 0, or above 1 (the peak was measured too low): not known
  std::uint64_t memory_bytes = 0;
};

struct ValidationReport {
  std::int64_t step = 0;
  double epoch = 0;
  Evaluation evaluation;
  std::string metric = {};  ///< what decides: "loss", or one of the evaluation's metrics
  bool best = false;
  double seconds = 0;  ///< as in UpdateReport
};

/// `step   120/2000 (6.0%) | loss 2.4137 | lr 6.00e-04 | gnorm 0.87 | 41.2k tok/s | 71% of peak | 1m03s<16m20s | 412
/// MB`; what is not known is left out.
std::string progress_line(const UpdateReport& report);

/// tqdm's look in `width` columns: `  6%|###       | 120/2000 [1m03s<16m20s, 41.2k tok/s, loss 2.4137]`
std::string progress_bar(const UpdateReport& report, std::size_t width, bool unicode);

MetricEvent train_event(const UpdateReport& report);
MetricEvent validation_event(const ValidationReport& report);

/// "9.8s", "1m03s", "16m20s", "2h05m", "3d04h".
std::string short_time(double seconds);
/// "950", "41.2k", "1.20M".
std::string short_count(double count);

struct ProgressOptions {
  bool bar = false;  ///< rewrite one line; otherwise plain lines
  bool colour = false;
  bool unicode = true;  ///< block characters in the bar
  bool quiet = false;   ///< metrics only
  std::size_t width = 80;
};

/// Tells the course of a run to a sink of text (standard error, in the program) and to a metrics log.
class Progress final {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// `log` may be nullptr, and must outlive this otherwise.
  Progress(ProgressOptions options, Sink sink, MetricsLog* log);

  /// Every update: moves the bar, at most ten times a second. Nothing without a bar.
  void tick(const UpdateReport& report);
  /// Every log-every: the line (or the bar) and the event.
  void update(const UpdateReport& report);
  void validation(const ValidationReport& report);
  void sample(std::int64_t step, std::string_view prompt, std::string_view text);
  /// The end of the whole run (not of a sitting): `reason` is `steps`, `epochs`, `tokens`, `minutes` or `early-stop`.
  void end(std::int64_t step, std::string_view reason, double seconds);
  /// A line that concerns people only.
  void note(std::string_view text);
  /// Puts the cursor below the bar; further calls draw it anew.
  void leave_bar();

 private:
  void draw(const UpdateReport& report);
  void line(std::string_view text);

  ProgressOptions options_;
  Sink sink_;
  MetricsLog* log_;
  bool drawn_ = false;
  std::optional<std::chrono::steady_clock::time_point> last_draw_;
};

}  // namespace rapt
