// The one table of settings: name, aliases, group, help, how to read and print. Flags, configuration files, help,
// suggestions and the comparison of two configurations all come from it, so a new setting is one field in TrainConfig
// and one row here.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/train_config.h"

namespace rapt {

/// What a setting's text is, as far as help and configuration files have to know.
enum class SettingType { kText, kChoice, kWhole, kNumber, kSwitch, kPeriod, kList };

/// Whether a resumed run may have another value than it began with.
enum class Resuming {
  kFixed,      ///< no: weights that are there already depend on it
  kOnRequest,  ///< with --resume: it decides how the run goes on from here, and is told and recorded
  kFree,       ///< always: it leaves weights and metrics alone
};

struct Setting {
  std::string name;                       ///< canonical, kebab-case: `learning-rate`
  std::vector<std::string> aliases = {};  ///< kebab-case; `_` and `-` mean the same: `lr`, `n-layer`
  std::string group = {};                 ///< heading in help and in configuration files
  SettingType type = SettingType::kText;
  std::string value = {};                 ///< what help calls the value: `N`, `FILE`, `adamw|adam|sgd`
  std::string help = {};                  ///< one line, no full stop
  std::vector<std::string> choices = {};  ///< kChoice: the words there are
  bool common = false;                    ///< shown in the short help
  Resuming resuming = Resuming::kFixed;
  bool shorthand = false;  ///< sets other settings (`betas`) and is never written
  /// Whether the setting means something to such a run, and is written then; not set: to every run.
  std::function<bool(const TrainConfig&)> applies = {};
  std::string applies_to = {};  ///< such runs in words: `labelled tasks`
  bool zero_is_unset = false;   ///< 0 stands for "not given", so nobody may type it, and it is not written

  /// The value as text; empty if unset. One entry, but for lists.
  std::function<std::vector<std::string>(const TrainConfig&)> get;
  /// Reads the value; throws std::invalid_argument with a message that begins "must be".
  std::function<void(TrainConfig&, const std::vector<std::string>&)> set;
};

/// All settings, in the order of help and of configuration files.
const std::vector<Setting>& settings();

/// The setting that `name` means: canonical or alias, kebab-case or snake_case; nullptr if there is none.
const Setting* find_setting(std::string_view name);

/// Every canonical name and alias, for suggestions.
const std::vector<std::string>& setting_names();

}  // namespace rapt
