#include "train/settings/settings.h"

#include <algorithm>

#include "train/settings/setting_rows.h"

namespace rapt {
namespace {

// The settings that --resume may change: the run's length, and how it trains from there on.
constexpr std::string_view kOnRequest[] = {
    "learning-rate", "min-learning-rate", "clip",      "schedule", "warmup", "decay", "steps", "epochs",
    "tokens",        "minutes",           "early-stop"};

// The settings that give a run's length; 0 means not given.
constexpr std::string_view kEnds[] = {"steps", "epochs", "tokens", "minutes", "planned-minutes", "stretch-start"};

std::vector<Setting> make_settings() {
  SettingTable table;
  add_task(table);
  add_data(table);
  add_model(table);
  add_fine_tuning(table);
  add_optimiser(table);
  add_schedule(table);
  add_periods(table);
  add_system(table);
  std::vector<Setting> rows = table.take();
  for (Setting& row : rows) {
    if (std::ranges::find(kOnRequest, row.name) != std::end(kOnRequest)) row.resuming = Resuming::kOnRequest;
    row.zero_is_unset = std::ranges::find(kEnds, row.name) != std::end(kEnds);
  }
  return rows;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

const Setting* find_setting(std::string_view name) {
  std::string kebab(name);
  std::replace(kebab.begin(), kebab.end(), '_', '-');
  for (const Setting& s : settings())
    if (s.name == kebab || std::find(s.aliases.begin(), s.aliases.end(), kebab) != s.aliases.end()) return &s;
  return nullptr;
}

const std::vector<std::string>& setting_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Setting& s : settings()) all.push_back(s.name);
    for (const Setting& s : settings()) all.insert(all.end(), s.aliases.begin(), s.aliases.end());
    return all;
  }();
  return names;
}

}  // namespace rapt
