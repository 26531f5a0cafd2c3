// A run's settings from and to TOML, and the order in which defaults, preset, file and flags win over each other.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/train_config.h"

namespace rapt {

/// Where a value came from; later ones win over earlier ones.
enum class Origin { kDefault, kChosen, kPreset, kFile, kFlag };

/// Settings together with where each of them came from.
struct LayeredConfig {
  TrainConfig values;
  std::map<std::string, Origin> origin;  ///< by canonical name; what is missing is a default

  /// \param name  canonical or alias
  Origin origin_of(const std::string& name) const;
  /// Whether the user or a preset said something about this setting, so that nothing may be chosen for them.
  bool given(const std::string& name) const { return origin_of(name) >= Origin::kPreset; }
};

/// One flag as it was typed, without dashes.
struct FlagValue {
  std::string name;                 ///< canonical or alias
  std::vector<std::string> values;  ///< one, but for lists
};

/// The settings written as TOML, grouped by comments; from_toml gives the same configuration back.
std::string to_toml(const TrainConfig& config);

/// Reads TOML as to_toml writes it. Other names of a setting are understood as they are in flags.
/// \param where  what errors call the text: a path, or `run.h5: /config`
/// \throws ConfigError  syntax errors, unknown keys and bad values, with line and column
TrainConfig from_toml(std::string_view text, const std::string& where);

/// Defaults, then the preset (named by a flag, else by the file), then the file, then the flags. The result is
/// validated by itself only: validate() comes after whatever is chosen from the data. \param file   TOML text; empty:
/// no file \param where  what errors call the file \throws UsageError   a flag or preset that does not exist, a value
/// that cannot be \throws ConfigError  the same in the file
LayeredConfig layer_config(std::string_view file, const std::string& where, const std::vector<FlagValue>& flags);

/// The settings as TOML with a comment on each line that says where the value came from, for --print-config.
std::string describe(const LayeredConfig& config);

}  // namespace rapt
