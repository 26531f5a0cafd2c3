// metrics.jsonl: one JSON object an event, and after a resume exactly what an undisturbed run would have written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rapt {

using MetricValue = std::variant<bool, std::int64_t, double, std::string>;
using MetricFields = std::vector<std::pair<std::string, MetricValue>>;

/// One thing that happened in a run.
///
///     {"event":"train","step":120,"epoch":0.31,"loss":2.4137,...,"wall_clock":{"seconds":63.2,"tokens_per_second":41213}}
///
/// `fields` are functions of data, settings and seed alone; what depends on the clock or on the machine goes to
/// `wall_clock` and nowhere else, so that two runs can be compared by leaving out that one key.
struct MetricEvent {
  std::string name;       ///< "train", "validation", "sample", "end"
  std::int64_t step = 0;  ///< updates done when it happened; never falls within a file
  MetricFields fields;    ///< in the order in which they are written; NaN and infinity become null
  MetricFields wall_clock;
};

/// The line of an event, without its newline.
std::string to_json_line(const MetricEvent& event);

/// Appends events to a file, one write each, so that a reader never sees half a line of a running program.
///
/// To be exact over interruptions a run writes all events of an update before it saves that update's checkpoint, calls
/// sync() in between, and opens the log with the step it resumes from: later events are cut off and happen again.
class MetricsLog final {
 public:
  /// Opens `path` for appending, creating it. With `resume_from`, first cuts off every event after that step and a last
  /// line that a crash left unfinished; without, an existing file is emptied.
  /// \throws CannotCreateError  if it cannot be opened
  /// \throws DataError          an unreadable line with events up to `resume_from` behind it
  MetricsLog(std::string path, std::optional<std::int64_t> resume_from);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// \throws IoError  if the line cannot be written whole; what was written of it is taken back
  void write(const MetricEvent& event);

  /// Returns when everything written so far is on the disk. \throws IoError
  void sync();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace rapt
