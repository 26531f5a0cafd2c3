#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "io/file.h"
#include "tensor/error.h"

namespace rapt::app {

static Terminal g_terminal;

static std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

static std::size_t columns() {
  struct winsize size {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int wanted = std::atoi(variable("COLUMNS").c_str());
  return wanted > 0 ? static_cast<std::size_t>(wanted) : 80;
}

static bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

void set_up_terminal(bool quiet, std::string_view color) {
  const bool able = ::isatty(STDERR_FILENO) == 1 && variable("TERM") != "dumb" && !variable("TERM").empty();
  g_terminal.quiet = quiet;
  g_terminal.bar = able && color != "never";
  g_terminal.colour = color == "always" || (color == "auto" && able && variable("NO_COLOR").empty());
  g_terminal.unicode = utf8_locale();
  g_terminal.width = columns();
}

const Terminal& terminal() { return g_terminal; }

static void check_out(bool written) {
  if (written) return;
  if (errno == EPIPE) throw PipeClosed{};
  throw IoError(std::string("standard output: cannot write: ") + system_message(errno));
}

static bool g_silent = false;

void be_silent() {
  g_silent = true;
  g_terminal.quiet = true;
}

void out(std::string_view text) {
  if (!g_silent) check_out(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

void flush_out() { check_out(std::fflush(stdout) == 0); }

void say(std::string_view text) {
  if (!g_terminal.quiet) tell(std::string(text) + "\n");
}

void tell(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

}  // namespace rapt::app
