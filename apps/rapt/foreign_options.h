// Options of other programs that are not merely another name for one of ours (those are aliases,
// train/settings/settings.cpp): what to type instead, or why nothing has to be typed.
#pragma once

#include <string_view>

namespace rapt::app {

struct ForeignOption {
  std::string_view name;     ///< kebab-case, without dashes: `do-train`
  std::string_view program;  ///< whose option it is: `transformers`
  std::string_view ours;     ///< the option that the advice names; empty: the advice holds for every command
  std::string_view advice;   ///< "not needed, rapt train always trains", "use --epochs N"
};

/// nullptr if no program is known to have it.
const ForeignOption* find_foreign_option(std::string_view kebab_name);

}  // namespace rapt::app
