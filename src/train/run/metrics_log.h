// metrics.jsonl: one JSON object per event; after a resume, exactly what an uninterrupted run would have written.
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

/// One event of a run.
///
///     {"event":"train","step":120,"epoch":0.31,"loss":2.4137,...,"wall_clock":{"seconds":63.2,"tokens_per_second":41213}}
///
/// `fields` are functions of data, settings and seed alone. Values that depend on the clock or the machine go to
/// `wall_clock` and nowhere else, so that two runs can be compared by ignoring that one key.
struct MetricEvent {
  std::string name;       ///< "train", "validation", "sample", "end"
  std::int64_t step = 0;  ///< updates done at the time; never decreases within a file
  MetricFields fields;    ///< in the order of writing; NaN and infinity become null
  MetricFields wall_clock;
};

/// The line of an event, without its newline.
std::string to_json_line(const MetricEvent& event);

/// Appends events to a file, with one write each, so that a reader never sees half a line of a running program.
///
/// To stay exact over interruptions, a run writes all events of an update and calls sync() before it saves that
/// update's checkpoint, and opens the log with the step it resumes from. Later events are then removed and happen
/// again.
class MetricsLog final {
 public:
  /// Opens `path` for appending, creating it if necessary. With `resume_from`, first removes every event after that
  /// step and an incomplete last line; without, empties an existing file.
  /// \throws CannotCreateError  if it cannot be opened
  /// \throws DataError          for an unreadable line that is followed by events up to `resume_from`
  MetricsLog(std::string path, std::optional<std::int64_t> resume_from);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// \throws IoError  if the line cannot be written completely; a partial line is removed
  void write(const MetricEvent& event);

  /// Returns when everything written so far is on disk. \throws IoError
  void sync();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace rapt
