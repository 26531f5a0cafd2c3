// The subcommands: one function each, in its own file, and the table that main, help and completion read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options.h"

namespace rapt::app {

Command params_command();
Command doctor_command();
Command help_command();
Command completion_command();

/// A family of verbs (`tokenizer train`, `tokenizer encode`), or the verbs without one.
struct Family {
  std::string name;  ///< empty: verbs of one word
  std::string summary;
};

/// All commands, in the order of help.
const std::vector<Command>& commands();
const std::vector<Family>& families();

/// The command that the words begin with, and how many of them it is (one or two).
/// \throws UsageError  an unknown verb with the nearest one, a family without its verb
const Command& find_command(const std::vector<std::string>& words, std::size_t& used);

}  // namespace rapt::app
