#include "train/settings/period.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "io/escape.h"
#include "train/settings/numbers.h"

namespace rapt {

static const char* expected(PeriodKind kind) {
  return kind == PeriodKind::kRecurring
             ? "must be a number of updates (500), epochs (2e), tokens (1Mt), time (90s, 30m, 2h) or off"
             : "must be a number of updates (500) or a share of the run (10%)";
}

Period parse_period(std::string_view text, PeriodKind kind) {
  const auto refuse = [&]() -> Period { throw std::invalid_argument(expected(kind) + (", got " + in_quotes(text))); };
  if (text == "off" || text == "never" || text == "none") return {};
  double amount = 0;
  const char* end = text.data() + text.size();
  // fixed: in `2e` the letter is the unit, not an exponent.
  const auto [rest, error] = std::from_chars(text.data(), end, amount, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(amount) || amount < 0) return refuse();
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  // M is a million, m a minute; k and g have no other meaning, so their case does not matter.
  if (!unit.empty() && std::string_view("KkMGg").find(unit.front()) != std::string_view::npos) {
    const char scale = unit.front();
    amount *= scale == 'M' ? 1e6 : scale == 'K' || scale == 'k' ? 1e3 : 1e9;
    unit.remove_prefix(1);
  }
  if (amount == 0) return {};

  Period period{Period::Unit::kUpdates, amount};
  if (unit.empty() || unit == "u") {
  } else if (unit == "%") {
    period.unit = Period::Unit::kShare;
  } else if (unit == "e") {
    period.unit = Period::Unit::kEpochs;
  } else if (unit == "t") {
    period.unit = Period::Unit::kTokens;
  } else if (unit == "s" || unit == "m" || unit == "h") {
    period = {Period::Unit::kSeconds, amount * (unit == "s" ? 1 : unit == "m" ? 60 : 3600)};
  } else {
    return refuse();
  }
  const bool whole = period.unit == Period::Unit::kUpdates || period.unit == Period::Unit::kTokens;
  if (whole && (period.amount != std::floor(period.amount) || period.amount > 9e15)) return refuse();
  if (period.unit == Period::Unit::kShare && period.amount > 100) return refuse();
  const bool length = period.unit == Period::Unit::kUpdates || period.unit == Period::Unit::kShare;
  return kind == PeriodKind::kLength && !length ? refuse() : period;
}

static std::string scaled(double amount) {
  for (const auto& [size, letter] : {std::pair{1e9, "G"}, {1e6, "M"}, {1e3, "K"}})
    if (amount >= size && std::fmod(amount, size) == 0) return print_number(amount / size) + letter;
  return print_number(amount);
}

std::string to_string(const Period& period) {
  const double n = period.amount;
  switch (period.unit) {
    case Period::Unit::kNever:
      return "off";
    case Period::Unit::kUpdates:
      return std::to_string(static_cast<std::int64_t>(n));
    case Period::Unit::kEpochs:
      return print_fixed(n) + "e";
    case Period::Unit::kTokens:
      return scaled(n) + "t";
    case Period::Unit::kShare:
      return print_fixed(n) + "%";
    case Period::Unit::kSeconds:
      break;
  }
  if (std::fmod(n, 3600) == 0) return print_fixed(n / 3600) + "h";
  if (std::fmod(n, 60) == 0) return print_fixed(n / 60) + "m";
  return print_fixed(n) + "s";
}

bool is_due(const Period& period, const RunClock& before, const RunClock& after, std::int64_t total_updates) {
  const auto crossed = [](double from, double to, double every) {
    // The small addition keeps the end of the 30th tenth of an epoch at 3.0 despite rounding.
    const auto ends = [every](double at) { return std::floor(at / every + 1e-9); };
    return ends(to) > ends(from);
  };
  const auto u0 = static_cast<double>(before.updates), u1 = static_cast<double>(after.updates);
  switch (period.unit) {
    case Period::Unit::kNever:
      return false;
    case Period::Unit::kUpdates:
      return crossed(u0, u1, period.amount);
    case Period::Unit::kEpochs:
      return crossed(before.epochs, after.epochs, period.amount);
    case Period::Unit::kTokens:
      return crossed(static_cast<double>(before.tokens), static_cast<double>(after.tokens), period.amount);
    case Period::Unit::kSeconds:
      return crossed(before.seconds, after.seconds, period.amount);
    case Period::Unit::kShare:
      break;
  }
  return crossed(u0, u1, std::max<double>(1, std::round(period.amount / 100 * static_cast<double>(total_updates))));
}

std::int64_t length_in_updates(const Period& period, std::int64_t total_updates) {
  switch (period.unit) {
    case Period::Unit::kNever:
      return 0;
    case Period::Unit::kUpdates:
      return static_cast<std::int64_t>(period.amount);
    case Period::Unit::kShare:
      return std::llround(period.amount / 100 * static_cast<double>(total_updates));
    default:
      throw std::invalid_argument(expected(PeriodKind::kLength) + (", got " + to_string(period)));
  }
}

}  // namespace rapt
