#include "train/run/resume.h"

#include <algorithm>
#include <string_view>

#include "tensor/error.h"
#include "train/settings/numbers.h"
#include "train/settings/settings.h"

namespace rapt {
namespace {

// The settings that determine the end of a run. Only one of them is used for a new stretch.
constexpr std::string_view kLengths[] = {"steps", "epochs", "tokens", "minutes"};

bool is_length(const std::string& name) { return std::ranges::find(kLengths, name) != std::end(kLengths); }

void take(TrainConfig& config, const Setting& setting, const LayeredConfig& wanted) {
  setting.set(config, setting.get(wanted.values));
}

// The requested length; nullptr: none.
const Setting* length_wanted(const LayeredConfig& wanted) {
  const Setting* length = nullptr;
  for (const std::string_view name : kLengths) {
    const Setting& setting = *find_setting(name);
    if (!wanted.given(setting.name)) continue;
    if (length != nullptr) {
      throw UsageError("--resume takes one length, got --" + length->name + " and --" + setting.name +
                       "; leave one of them out");
    }
    length = &setting;
  }
  return length;
}

// Whether the run is to end at another point than before. For a finished run, minutes mean additional minutes; before
// that, the minutes with which it was started change nothing.
bool ends_elsewhere(const TrainConfig& saved, const LayeredConfig& wanted, const Setting& length, bool finished) {
  if (length.name != "minutes") return length.get(saved) != length.get(wanted.values);
  const double before = saved.minutes > 0 ? saved.minutes : saved.planned_minutes;
  return finished || before != wanted.values.minutes;
}

void begin_stretch(Resumption& result, const LayeredConfig& wanted, const Setting& length, std::int64_t at) {
  TrainConfig& c = result.config;
  c.steps = c.tokens = 0;
  c.epochs = c.minutes = 0;
  c.stretch_start = at;
  result.new_stretch = true;
  if (length.name == "minutes") {
    result.more_minutes = c.planned_minutes = wanted.values.minutes;
  } else {
    take(c, length, wanted);
  }
}

// Takes over the requested settings other than a length. Returns a line for each.
std::vector<std::string> change_settings(TrainConfig& config, const LayeredConfig& wanted, std::int64_t at) {
  std::vector<std::string> changes;
  for (const Setting& s : settings()) {
    if (s.resuming != Resuming::kOnRequest || is_length(s.name) || !wanted.given(s.name)) continue;
    const auto before = s.get(config), after = s.get(wanted.values);
    if (before == after) continue;
    take(config, s, wanted);
    changes.push_back("train: --" + s.name + " is " + after.at(0) + " from update " + std::to_string(at + 1) +
                      " on (previously " + before.at(0) + ")");
  }
  config.min_learning_rate = std::min(config.min_learning_rate, config.learning_rate);
  return changes;
}

}  // namespace

Resumption resume_from(const TrainConfig& saved, const LayeredConfig& wanted, const CheckpointSummary& done,
                       bool requested, const Notice& notice) {
  Resumption result{.config = saved};
  for (const Setting& s : settings()) {
    if (s.resuming == Resuming::kFree && !s.shorthand && wanted.given(s.name)) take(result.config, s, wanted);
  }
  if (!requested) return result;
  const bool finished = done.finished && !was_extended(saved, done);
  const Setting* const length = length_wanted(wanted);
  if (length != nullptr && ends_elsewhere(saved, wanted, *length, finished)) {
    begin_stretch(result, wanted, *length, done.step);
  }
  const std::vector<std::string> changes = change_settings(result.config, wanted, done.step);
  if (!changes.empty() && finished && !result.new_stretch) {
    throw UsageError("a finished run needs a new length before its settings can change; add --steps N or " +
                     std::string("--minutes N"));
  }
  for (const std::string& change : changes) notice(change);
  return result;
}

bool asks_for_more(const TrainConfig& saved, const LayeredConfig& wanted) {
  return std::ranges::any_of(settings(), [&](const Setting& s) {
    if (s.resuming != Resuming::kOnRequest || !wanted.given(s.name)) return false;
    return s.name == "minutes" || s.get(saved) != s.get(wanted.values);
  });
}

bool was_extended(const TrainConfig& saved, const CheckpointSummary& done) {
  return saved.stretch_start > 0 && saved.stretch_start == done.step;
}

void fit_stretch(TrainConfig& config, std::int64_t total, const Notice& notice) {
  const std::int64_t from = config.stretch_start, updates = total - from;
  if (updates <= 0) {
    throw UsageError("train: the new end must be after update " + std::to_string(from) +
                     ", which the run has reached, got update " + std::to_string(total));
  }
  if (config.warmup.unit == Period::Unit::kUpdates && config.warmup.amount > static_cast<double>(updates) / 10) {
    config.warmup = Period::updates(std::max<std::int64_t>(1, updates / 10));
  }
  notice("train: continues from update " + std::to_string(from) + " to update " + std::to_string(total) +
         " in a new stretch of the schedule: warm-up " + to_string(config.warmup) + ", learning rate " +
         print_number(config.learning_rate) + ", then " + config.schedule);
}

}  // namespace rapt
