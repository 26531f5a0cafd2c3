// A run's settings to and from TOML, and the precedence of defaults, preset, file and options.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/train_config.h"

namespace rapt {

/// Where a value came from; later ones override earlier ones.
enum class Origin { kDefault, kChosen, kPreset, kFile, kFlag };

/// Settings, with the origin of each.
struct LayeredConfig {
  TrainConfig values;
  std::map<std::string, Origin> origin;  ///< by canonical name; a missing one is a default

  /// \param name  canonical or alias
  Origin origin_of(const std::string& name) const;
  /// Whether the user or a preset gave this setting, so that it must not be chosen automatically.
  bool given(const std::string& name) const { return origin_of(name) >= Origin::kPreset; }
};

/// One option as typed, without dashes.
struct FlagValue {
  std::string name;                 ///< canonical or alias
  std::vector<std::string> values;  ///< one, except for lists
};

/// The settings as TOML, grouped by comments; from_toml restores the same configuration.
std::string to_toml(const TrainConfig& config);

/// Reads TOML as written by to_toml. Aliases of settings are accepted, as on the command line.
/// \param where  the name of the text in errors: a path, or `run.h5: /config`
/// \throws ConfigError  for syntax errors, unknown keys and bad values, with line and column
TrainConfig from_toml(std::string_view text, const std::string& where);

/// Defaults, then the preset (named by an option, else by the file), then the file, then the options. The result is
/// only validated setting by setting: validate() comes after settings are chosen from the data.
///
/// \param file   TOML text; empty: no file
/// \param where  the name of the file in errors
/// \throws UsageError   for an unknown option or preset, or an impossible value
/// \throws ConfigError  the same in the file
LayeredConfig layer_config(std::string_view file, const std::string& where, const std::vector<FlagValue>& flags);

/// The settings as TOML with a comment on each line that gives the origin of the value, for --print-config.
std::string describe(const LayeredConfig& config);

}  // namespace rapt
