#include "train/settings/settings_agreement.h"

#include "io/joined.h"
#include "tensor/error.h"
#include "train/settings/numbers.h"

namespace rapt {

static std::string text_of(const std::vector<std::string>& values) {
  const std::string text = joined(values, " ");
  return text.empty() ? "(unset)" : text;
}

std::vector<Difference> differences(const TrainConfig& ours, const TrainConfig& theirs, Resuming resuming) {
  std::vector<Difference> found;
  for (const Setting& s : settings()) {
    if (s.resuming >= resuming || s.shorthand) continue;
    // The request repeats the minutes that were converted to a number of updates: the same run.
    if (s.name == "minutes") {
      const auto minutes = [](const TrainConfig& c) {
        return print_number(c.minutes > 0 ? c.minutes : c.planned_minutes);
      };
      if (minutes(ours) != minutes(theirs)) found.push_back({s.name, minutes(ours), minutes(theirs)});
      continue;
    }
    if (s.name == "tokenizer" && !ours.learns_tokenizer() && !theirs.learns_tokenizer()) continue;
    if (const auto a = s.get(ours), b = s.get(theirs); a != b) found.push_back({s.name, text_of(a), text_of(b)});
  }
  return found;
}

void require_applicable(const LayeredConfig& config) {
  // In stage 2 of a classifier from scratch, the request covers both stages.
  if (!config.values.init.empty() && !config.given("init")) return;
  for (const Setting& s : settings()) {
    if (config.origin_of(s.name) < Origin::kFile || !s.applies || s.applies(config.values)) continue;
    const TrainConfig& c = config.values;
    const std::string got = s.group == "tokenizer" ? "--tokenizer " + c.tokenizer
                            : s.applies_to.starts_with("--model")
                                ? "--model " + c.model
                                : "--task " + c.task + (c.init.empty() ? "" : " with --init");
    throw UsageError("--" + s.name + " applies to " + s.applies_to + ", got " + got + "; leave it out");
  }
}

}  // namespace rapt
