// Output of the program: results go to standard output, everything else to standard error.
#pragma once

#include <cstddef>
#include <string_view>

namespace rapt::app {

/// The capabilities of the terminal, determined once from the options, the environment and the streams.
struct Terminal {
  bool quiet = false;
  bool bar = false;      ///< standard error is a terminal that can rewrite a line
  bool colour = false;   ///< on standard error
  bool unicode = false;  ///< the locale is UTF-8
  std::size_t width = 80;
};

/// Checks --quiet, --color, NO_COLOR, TERM, COLUMNS and the streams. `color` is "auto", "always" or "never".
void set_up_terminal(bool quiet, std::string_view color);
const Terminal& terminal();

/// The reader of standard output closed it, like `head`: the program ends quietly.
struct PipeClosed {};

/// Writes a result to standard output. \throws PipeClosed; IoError if it cannot be written
void out(std::string_view text);
/// From now on, results and notes are not written: another process of the team writes the same.
void be_silent();
/// Flushes all results. \throws as out
void flush_out();

/// Writes a note for the user to standard error, as a line; nothing with --quiet. Never fails, because nobody may be
/// reading.
void say(std::string_view text);
/// Raw text to standard error, for progress.
void tell(std::string_view text);

}  // namespace rapt::app
