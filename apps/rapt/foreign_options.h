// Options of other programs that are not simply another name for one of ours (those are aliases,
// train/settings/setting_rows_*.cpp): what to type instead, or why nothing is needed.
#pragma once

#include <string_view>

namespace rapt::app {

struct ForeignOption {
  std::string_view name;     ///< kebab-case, without dashes: `do-train`
  std::string_view program;  ///< the program that has it: `transformers`
  std::string_view ours;     ///< the option that the advice names; empty: the advice applies to every command
  std::string_view advice;   ///< "not needed, rapt train always trains", "use --epochs N"
};

/// nullptr if no known program has it.
const ForeignOption* find_foreign_option(std::string_view kebab_name);

}  // namespace rapt::app
