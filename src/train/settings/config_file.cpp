#include "train/settings/config_file.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "io/toml.h"
#include "tensor/error.h"
#include "train/settings/numbers.h"
#include "train/settings/presets.h"
#include "train/settings/settings.h"

namespace rapt {

Origin LayeredConfig::origin_of(const std::string& name) const {
  const Setting* setting = find_setting(name);
  const auto found = origin.find(setting ? setting->name : name);
  return found == origin.end() ? Origin::kDefault : found->second;
}

// ------------------------------------------------------------------------------------------------------------ writing

static std::string toml_value(const Setting& setting, const std::vector<std::string>& values) {
  const auto digits = [](const std::string& t) {
    return !t.empty() && t.find_first_not_of("0123456789") == std::string::npos;
  };
  switch (setting.type) {
    case SettingType::kWhole:
    case SettingType::kNumber:
      return values[0];
    case SettingType::kSwitch:
      return values[0] == "on" ? "true" : "false";
    case SettingType::kPeriod:
      return digits(values[0]) ? values[0] : toml_string(values[0]);
    case SettingType::kText:
    case SettingType::kChoice:
      return toml_string(values[0]);
    case SettingType::kList:
      break;
  }
  return "[" + joined(values, ", ", toml_string) + "]";
}

/// One line per setting; `comment` is appended to it.
template <typename Comment>
static std::string write_settings(const TrainConfig& config, Comment comment) {
  std::string out, group;
  for (const Setting& setting : settings()) {
    const std::vector<std::string> values = setting.get(config);
    if (values.empty() || setting.shorthand || (setting.applies && !setting.applies(config))) continue;
    if (setting.zero_is_unset && values[0] == "0") continue;
    if (setting.group != group) {
      group = setting.group;
      out += (out.empty() ? "# " : "\n# ") + group + "\n";
    }
    std::string line = setting.name + " = " + toml_value(setting, values);
    if (const std::string note = comment(setting); !note.empty())
      line += std::string(line.size() < 40 ? 40 - line.size() : 1, ' ') + "# " + note;
    out += line + "\n";
  }
  return out;
}

std::string to_toml(const TrainConfig& config) {
  return write_settings(config, [](const Setting&) { return std::string(); });
}

std::string describe(const LayeredConfig& config) {
  return write_settings(config.values, [&](const Setting& setting) -> std::string {
    switch (config.origin_of(setting.name)) {
      case Origin::kDefault:
        return "";
      case Origin::kChosen:
        return "chosen";
      case Origin::kPreset:
        return config.values.preset.empty() ? "chosen" : "preset " + config.values.preset;
      case Origin::kFile:
        return "file";
      case Origin::kFlag:
        return "flag";
    }
    return "";
  });
}

// ------------------------------------------------------------------------------------------------------------ reading

namespace {

/// A key of a TOML file, with its value as the text of an option.
struct Entry {
  std::string key;
  std::vector<std::string> values;
  std::string where;  ///< file:line:column
};

std::string flag_text(const TomlScalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return print_number(*number);
  return std::get<bool>(value) ? "on" : "off";
}

/// In file order: if a setting occurs under two names, the last one must win, as on the command line.
std::vector<Entry> read_entries(std::string_view text, const std::string& where) {
  std::vector<Entry> entries;
  for (const TomlEntry& read : read_flat_toml(text, where)) {
    Entry entry{escape_for_terminal(read.key), {}, read.where};
    for (const TomlScalar& value : read.values) entry.values.push_back(flag_text(value));
    entries.push_back(std::move(entry));
  }
  return entries;
}

void set_from_entry(TrainConfig& config, const Setting& setting, const Entry& entry) {
  if (setting.type != SettingType::kList && entry.values.size() != 1)
    throw ConfigError(entry.where + ": " + entry.key + " must be one value, got a list of " +
                      std::to_string(entry.values.size()));
  try {
    setting.set(config, entry.values);
  } catch (const std::invalid_argument& error) {
    throw ConfigError(entry.where + ": " + entry.key + " " + error.what());
  }
}

const Setting& setting_of(const Entry& entry) {
  if (const Setting* setting = find_setting(entry.key)) return *setting;
  throw ConfigError(entry.where + ": unknown setting " + entry.key + did_you_mean(entry.key, setting_names()));
}

/// The settings that setting `name` also sets, for shorthands.
void mark(LayeredConfig& config, const Setting& setting, const TrainConfig& before, Origin origin) {
  config.origin[setting.name] = origin;
  if (!setting.shorthand) return;
  for (const Setting& other : settings())
    if (other.get(before) != other.get(config.values)) config.origin[other.name] = origin;
}

void apply_preset(LayeredConfig& config, const Preset& preset) {
  for (const auto& [name, value] : preset.settings) {
    find_setting(name)->set(config.values, {value});
    config.origin[name] = Origin::kPreset;
  }
}

void apply_flag(LayeredConfig& config, const FlagValue& flag) {
  const Setting* setting = find_setting(flag.name);
  if (!setting)
    throw UsageError("unknown option --" + escape_for_terminal(flag.name) +
                     did_you_mean(flag.name, setting_names(), "--"));
  const TrainConfig before = config.values;
  try {
    setting->set(config.values, flag.values);
  } catch (const std::invalid_argument& error) {
    throw UsageError("--" + setting->name + " " + error.what());
  }
  if (setting->zero_is_unset && setting->get(config.values).at(0) == "0")
    throw UsageError("--" + setting->name + " must be above 0, got 0; leave it out for no limit");
  mark(config, *setting, before, Origin::kFlag);
}

/// The values of `name` from the options, else from the file; empty if neither has it.
std::string said(const std::string& name, const std::vector<Entry>& entries, const std::vector<FlagValue>& flags) {
  std::string value;
  const Setting* wanted = find_setting(name);
  for (const Entry& entry : entries)
    if (find_setting(entry.key) == wanted && entry.values.size() == 1) value = entry.values[0];
  for (const FlagValue& flag : flags)
    if (find_setting(flag.name) == wanted && flag.values.size() == 1) value = flag.values[0];
  return value;
}

}  // namespace

TrainConfig from_toml(std::string_view text, const std::string& where) {
  TrainConfig config;
  for (const Entry& entry : read_entries(text, where)) set_from_entry(config, setting_of(entry), entry);
  return config;
}

LayeredConfig layer_config(std::string_view file, const std::string& where, const std::vector<FlagValue>& flags) {
  LayeredConfig config;
  const std::vector<Entry> entries = file.empty() ? std::vector<Entry>{} : read_entries(file, where);
  if (const std::string preset = said("preset", entries, flags); !preset.empty())
    apply_preset(config, find_preset(preset));
  if (const std::string size = said("size", entries, flags); !size.empty()) apply_preset(config, find_size(size));
  for (const Entry& entry : entries) {
    const Setting& setting = setting_of(entry);
    const TrainConfig before = config.values;
    set_from_entry(config.values, setting, entry);
    mark(config, setting, before, Origin::kFile);
  }
  for (const FlagValue& flag : flags) apply_flag(config, flag);
  return config;
}

}  // namespace rapt
