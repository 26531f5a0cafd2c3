// The kinds of settings: each function makes a row of the table of settings from a field of TrainConfig.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/settings/numbers.h"
#include "train/settings/settings.h"

/// Each takes the setting's name, its field, the name of the value in help if it is not obvious, and a line of help.
namespace rapt::setting_kinds {

using Texts = std::vector<std::string>;

Setting text(std::string name, std::string TrainConfig::*field, std::string value, std::string help);
Setting list(std::string name, Texts TrainConfig::*field, std::string value, std::string help);

/// A list whose entries may also be given as one value, separated by commas.
Setting words(std::string name, Texts TrainConfig::*field, std::string value, std::string help);

/// One of several words. \param also  other accepted words and their meanings; help does not list them
Setting choice(std::string name, std::string TrainConfig::*field, Texts choices, std::string help,
               std::map<std::string, std::string> also = {});

Setting whole(std::string name, std::int64_t TrainConfig::*field, std::int64_t least, std::string help,
              std::int64_t most = std::numeric_limits<std::int64_t>::max());
Setting number(std::string name, double TrainConfig::*field, Range range, std::string help);
Setting number(std::string name, std::optional<double> TrainConfig::*field, Range range, std::string help);
Setting on_off(std::string name, bool TrainConfig::*field, std::string help);
Setting on_off(std::string name, std::optional<bool> TrainConfig::*field, std::string help);
Setting period(std::string name, Period TrainConfig::*field, PeriodKind kind, std::string help);

/// Sets other settings, and is never written.
Setting shorthand(std::string name, std::string value, std::string help,
                  std::function<void(TrainConfig&, const std::string&)> set);

}  // namespace rapt::setting_kinds
