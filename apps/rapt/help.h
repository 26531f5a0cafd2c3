// Help texts, from the same tables that parse the options: examples first, common options first.
#pragma once

#include <string>
#include <string_view>

#include "options.h"

namespace rapt::app {

/// `rapt`, `rapt --help`: all commands, and how to start.
std::string overview();
/// `rapt help tokenizer`: the commands of a family.
std::string family_help(std::string_view family);
/// `rapt train --help`; `all` for --help-all.
std::string command_help(const Command& command, bool all);

/// The completion script of a shell: bash, zsh or fish.
std::string completion_script(std::string_view shell);

/// "rapt 0.1.0".
std::string version();

}  // namespace rapt::app
