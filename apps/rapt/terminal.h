// Where the program speaks: results go to standard output, everything else to standard error.
#pragma once

#include <cstddef>
#include <string_view>

namespace rapt::app {

/// What may be shown, decided once from the options, the environment and the kind of stream.
struct Terminal {
  bool quiet = false;
  bool bar = false;      ///< standard error is a terminal that can rewrite a line
  bool colour = false;   ///< on standard error
  bool unicode = false;  ///< the locale is UTF-8
  std::size_t width = 80;
};

/// Looks at --quiet, --color, NO_COLOR, TERM, COLUMNS and the streams. `color` is "auto", "always" or "never".
void set_up_terminal(bool quiet, std::string_view color);
const Terminal& terminal();

/// Standard output was closed by whoever reads it, as `head` does: the program ends quietly.
struct PipeClosed {};

/// A result, to standard output. \throws PipeClosed; IoError if it cannot be written
void out(std::string_view text);
/// Makes sure that all results have left the program. \throws as out
void flush_out();

/// A note for the user, to standard error, as a line; nothing with --quiet. Never fails: nobody may be listening.
void say(std::string_view text);
/// Raw text to standard error, for progress.
void tell(std::string_view text);

}  // namespace rapt::app
