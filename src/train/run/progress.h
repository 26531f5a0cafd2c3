// Reports of a run: each becomes a line for users and an event for metrics.jsonl in one call, so that the two always
// agree.
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

/// The report of one update.
struct UpdateReport {
  std::int64_t step = 0;         ///< updates done, including this one
  std::int64_t total_steps = 0;  ///< of the whole run; 0: not known
  double epoch = 0;              ///< passes over the data, fractional
  std::int64_t tokens = 0;       ///< predicted since the run began
  double loss = 0;               ///< mean over the update's targets, in nats
  double learning_rate = 0;
  double grad_norm = 0;  ///< before clipping
  // Clock and machine:
  double seconds = 0;             ///< since the run started, including earlier sessions
  double remaining_seconds = -1;  ///< < 0: not known
  double tokens_per_second = 0;
  double share_of_peak = 0;  ///< of the machine's sgemm peak; 0, or above 1 (the measured peak was too low): not known
  std::uint64_t memory_bytes = 0;
};

struct ValidationReport {
  std::int64_t step = 0;
  double epoch = 0;
  Evaluation evaluation;
  std::string metric = {};  ///< the deciding metric: "loss", or one of the evaluation's metrics
  bool best = false;
  std::int64_t averaged = 0;  ///< number of checkpoints whose average was validated; 0: the weights of this update
  double seconds = 0;         ///< as in UpdateReport
};

/// `step   120/2000 (6.0%) | loss 2.4137 | lr 6.00e-04 | gnorm 0.87 | 41.2k tok/s | 71% of peak | 1m03s<16m20s | 412
/// MB`; unknown values are omitted.
std::string progress_line(const UpdateReport& report);

/// In tqdm's style, in `width` columns: `  6%|###       | 120/2000 [1m03s<16m20s, 41.2k tok/s, loss 2.4137]`
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

/// Reports the progress of a run to a text sink (standard error in the program) and to a metrics log.
class Progress final {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// `log` may be nullptr; otherwise it must outlive this object.
  Progress(ProgressOptions options, Sink sink, MetricsLog* log);

  /// Call for every update: moves the bar, at most ten times a second. Does nothing without a bar.
  void tick(const UpdateReport& report);
  /// Call at every log-every: writes the line (or the bar) and the event.
  void update(const UpdateReport& report);
  void validation(const ValidationReport& report);
  void sample(std::int64_t step, std::string_view prompt, std::string_view text);
  /// Call at the end of the whole run (not of a session): `reason` is `steps`, `epochs`, `tokens`, `minutes` or
  /// `early-stop`.
  void end(std::int64_t step, std::string_view reason, double seconds);
  /// Moves the cursor below the bar; further calls draw it again.
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
