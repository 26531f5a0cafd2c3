#include "train/settings/period.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace rapt;
using Unit = Period::Unit;

TEST_CASE("periods are read in updates, epochs, tokens, time and shares, and printed back") {
  struct Row {
    const char* text;
    Period period;
    const char* printed;
  };
  for (const Row& row :
       {Row{"500", {Unit::kUpdates, 500}, "500"}, Row{"500u", {Unit::kUpdates, 500}, "500"},
        Row{"10Ku", {Unit::kUpdates, 10000}, "10000"}, Row{"2e", {Unit::kEpochs, 2}, "2e"},
        Row{"0.25e", {Unit::kEpochs, 0.25}, "0.25e"}, Row{"1Mt", {Unit::kTokens, 1e6}, "1Mt"},
        Row{"1500t", {Unit::kTokens, 1500}, "1500t"}, Row{"2Gt", {Unit::kTokens, 2e9}, "2Gt"},
        Row{"90s", {Unit::kSeconds, 90}, "90s"}, Row{"30m", {Unit::kSeconds, 1800}, "30m"},
        Row{"2h", {Unit::kSeconds, 7200}, "2h"}, Row{"10%", {Unit::kShare, 10}, "10%"},
        Row{"7%", {Unit::kShare, 7}, "7%"}, Row{"off", {}, "off"}, Row{"0", {}, "off"}, Row{"never", {}, "off"}}) {
    CAPTURE(row.text);
    CHECK(parse_period(row.text) == row.period);
    CHECK(to_string(row.period) == row.printed);
    CHECK(parse_period(to_string(row.period)) == row.period);
  }
}

TEST_CASE("an invalid period is rejected with its text") {
  for (const char* text :
       {"", "x", "-5", "5x", "5 e", "1.5", "1.5t", "101%", "1e6", "nan", "inf", "99999999999999999999"}) {
    CAPTURE(text);
    const std::string message =
        "must be a number of updates (500), epochs (2e), tokens (1Mt), time (90s, 30m, 2h) or off, got \"" +
        std::string(text) + "\"";
    CHECK_THROWS_WITH_AS(parse_period(text), message.c_str(), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(parse_period("2e", PeriodKind::kLength),
                       "must be a number of updates (500) or a share of the run (10%), got \"2e\"",
                       std::invalid_argument);
}

TEST_CASE("a period is due once for each of its ends, however large the step over it") {
  const Period every = parse_period("3");
  int due = 0;
  for (std::int64_t step = 1; step <= 10; ++step) due += is_due(every, {.updates = step - 1}, {.updates = step});
  CHECK(due == 3);
  CHECK(is_due(parse_period("1000t"), {.tokens = 990}, {.tokens = 2500}));
  CHECK_FALSE(is_due(parse_period("1000t"), {.tokens = 1000}, {.tokens = 1999}));
  CHECK(is_due(parse_period("30m"), {.seconds = 1799}, {.seconds = 1801}));
  CHECK_FALSE(is_due(Period{}, {.updates = 0}, {.updates = 1000}));
  CHECK(is_due(parse_period("10%"), {.updates = 19}, {.updates = 20}, 200));
  CHECK_FALSE(is_due(parse_period("10%"), {.updates = 20}, {.updates = 21}, 200));
}

TEST_CASE("ends of epochs survive rounding: every tenth of an epoch in steps of a hundredth") {
  int due = 0;
  for (int i = 1; i <= 300; ++i)
    due += is_due(parse_period("0.1e"), {.epochs = (i - 1) / 100.0}, {.epochs = i / 100.0});
  CHECK(due == 30);
}

TEST_CASE("lengths are updates or a share of the run") {
  CHECK(length_in_updates(parse_period("100"), 2000) == 100);
  CHECK(length_in_updates(parse_period("10%"), 2000) == 200);
  CHECK(length_in_updates(Period{}, 2000) == 0);
  CHECK_THROWS_AS(length_in_updates(parse_period("1e"), 2000), std::invalid_argument);
}
