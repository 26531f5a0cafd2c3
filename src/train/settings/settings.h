// The single table of settings: name, aliases, group, help, how to read and print. Options, configuration files, help,
// suggestions and the comparison of configurations all use it, so a new setting is one field in TrainConfig and one row
// here.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/train_config.h"

namespace rapt {

/// The type of a setting's text, for help and configuration files.
enum class SettingType { kText, kChoice, kWhole, kNumber, kSwitch, kPeriod, kList };

/// Whether a resumed run may have a different value.
enum class Resuming {
  kFixed,      ///< no: existing weights already depend on it
  kOnRequest,  ///< with --resume: it affects how the run continues; the change is reported and recorded
  kFree,       ///< always: it affects neither weights nor metrics
};

struct Setting {
  std::string name;                       ///< canonical, kebab-case: `learning-rate`
  std::vector<std::string> aliases = {};  ///< kebab-case; `_` and `-` mean the same: `lr`, `n-layer`
  std::string group = {};                 ///< heading in help and configuration files
  SettingType type = SettingType::kText;
  std::string value = {};                 ///< name of the value in help: `N`, `FILE`, `adamw|adam|sgd`
  std::string help = {};                  ///< one line, no full stop
  std::vector<std::string> choices = {};  ///< kChoice: the allowed words
  bool common = false;                    ///< shown in the short help
  Resuming resuming = Resuming::kFixed;
  bool shorthand = false;  ///< sets other settings (`betas`) and is never written
  /// Whether the setting applies to such a run, and is then written; not set: to every run.
  std::function<bool(const TrainConfig&)> applies = {};
  std::string applies_to = {};  ///< the same in words: `labelled tasks`
  bool zero_is_unset = false;   ///< 0 stands for "not given", so users may not type it, and it is not written

  /// The value as text; empty if unset. One entry, except for lists.
  std::function<std::vector<std::string>(const TrainConfig&)> get;
  /// Reads the value; throws std::invalid_argument with a message that starts with "must be".
  std::function<void(TrainConfig&, const std::vector<std::string>&)> set;
};

/// All settings, in the order of help and of configuration files.
const std::vector<Setting>& settings();

/// The setting called `name`: canonical or alias, kebab-case or snake_case; nullptr if there is none.
const Setting* find_setting(std::string_view name);

/// Every canonical name and alias, for suggestions.
const std::vector<std::string>& setting_names();

}  // namespace rapt
