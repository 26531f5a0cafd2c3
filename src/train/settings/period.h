// "Every 500 updates", "every 2 epochs", "every 1M tokens", "every 30 minutes": one type for everything that recurs in
// a run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// The progress of a run, in every unit of a period.
struct RunClock {
  std::int64_t updates = 0;
  double epochs = 0;        ///< passes over the training data, fractional
  std::int64_t tokens = 0;  ///< tokens predicted so far
  double seconds = 0;       ///< training time, including earlier sessions
};

struct Period {
  enum class Unit { kNever, kUpdates, kEpochs, kTokens, kSeconds, kShare };
  Unit unit = Unit::kNever;
  double amount = 0;  ///< above 0 unless kNever; kShare: percent of the whole run

  bool never() const { return unit == Unit::kNever; }
  bool operator==(const Period&) const = default;

  static Period updates(std::int64_t count) { return {Unit::kUpdates, static_cast<double>(count)}; }
};

/// Which units are allowed for a setting.
enum class PeriodKind {
  kRecurring,  ///< updates, epochs, tokens, time; `off` or 0 for never
  kLength,     ///< updates or a percentage of the run; `off` or 0 for none
};

/// Reads `500`, `500u`, `10Ku` (updates), `2e`, `0.5e` (epochs), `1Mt` (tokens; K, M, G are 10^3, 10^6, 10^9), `90s`,
/// `30m`, `2h` (time), `10%` (of the run), `off`, `never` or `0`.
///
/// \throws std::invalid_argument  with a message that starts with "must be" and contains the text
Period parse_period(std::string_view text, PeriodKind kind = PeriodKind::kRecurring);

/// The shortest text that parse_period reads back as the same period: "500", "2e", "1Mt", "30m", "10%", "off".
std::string to_string(const Period& period);

/// Whether the end of a period lies in (before, after]: an update that crosses several ends is due once. A share of the
/// run recurs with that part of `total_updates`, which must then be above 0.
bool is_due(const Period& period, const RunClock& before, const RunClock& after, std::int64_t total_updates = 0);

/// The period as a number of updates, for lengths: a share is rounded to the nearest update of `total_updates`.
/// \throws std::invalid_argument  for epochs, tokens and time
std::int64_t length_in_updates(const Period& period, std::int64_t total_updates);

}  // namespace rapt
