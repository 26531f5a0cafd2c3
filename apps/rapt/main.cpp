// rapt: finds the subcommand, runs it, and turns errors into one line and an exit code.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "commands.h"
#include "failure.h"
#include "help.h"
#include "io/escape.h"
#include "io/joined.h"
#include "io/temporary_name.h"
#include "tensor/error.h"
#include "tensor/instruction_set.h"
#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "tensor/precision.h"
#include "tensor/types.h"
#include "terminal.h"
#include "text/labelled/undecided_error.h"
#include "train/team/launch.h"

namespace rapt::app {
namespace {

constexpr int kReaderGone = 128 + SIGPIPE;

/// `rapt --quiet train x` is `rapt train x --quiet`: the options of every command may stand before the command.
std::vector<std::string> verb_first(const std::vector<std::string>& typed) {
  std::size_t verb = 0;
  while (verb < typed.size() && typed[verb].size() > 1 && typed[verb][0] == '-') {
    const std::string name = typed[verb].substr(0, typed[verb].find('='));
    const bool takes_value = name == "--threads" || name == "-t" || name == "--precision" || name == "--color";
    if (!takes_value && name != "--quiet" && name != "-q") break;
    verb += takes_value && name == typed[verb] ? 2 : 1;
  }
  if (verb >= typed.size()) throw UsageError("a command must follow " + in_quotes(typed.back()) + "; see rapt help");
  std::vector<std::string> words(typed.begin() + static_cast<std::ptrdiff_t>(verb), typed.end());
  words.insert(words.end(), typed.begin(), typed.begin() + static_cast<std::ptrdiff_t>(verb));
  return words;
}

void note_translations(const Arguments& arguments) {
  const auto& translated = arguments.translated();
  if (translated.empty()) return;
  say("note: read " + joined(translated, ", ",
                             [](const auto& word) { return escape_for_terminal(word.first) + " as " + word.second; }));
}

// The command that was typed, with an option replaced, or appended at the end.
std::string with_option(const std::vector<std::string>& typed, const std::string& option) {
  const std::size_t space = option.find(' ');
  const std::string name = option.substr(0, space), value = option.substr(std::min(space, option.size() - 1) + 1);
  std::string line = "rapt";
  bool there = false;
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const bool joined = typed[i].starts_with(name + "=");
    const bool same = joined || typed[i] == name;
    line += ' ' + (same ? name + ' ' + for_shell(value) : for_shell(typed[i]));
    if (same && !joined) ++i;
    there = there || same;
  }
  return there ? line : line + ' ' + name + ' ' + for_shell(value);
}

int run(const std::vector<std::string>& typed) {
  hold_instruction_set(std::getenv("RAPT_SIMD"));
  if (typed.empty() || typed[0] == "--help" || typed[0] == "-h" || typed[0] == "--help-all") {
    out(overview());
    return 0;
  }
  if (typed[0] == "--version" || typed[0] == "-V") {
    out(version() + "\n");
    return 0;
  }
  const std::vector<std::string> words = verb_first(typed);
  if (words[0][0] == '-' && words[0].size() > 1)
    throw UsageError("a command must come first, got " + in_quotes(words[0]) + "; see rapt help");
  std::size_t used = 0;
  if (words.size() == 2 && (words[1] == "--help" || words[1] == "-h") && !family_help(words[0]).empty()) {
    out(family_help(words[0]));
    return 0;
  }
  const Command& command = find_command(words, used);
  const Arguments arguments(command, {words.begin() + static_cast<std::ptrdiff_t>(used), words.end()});
  if (arguments.wants_help()) {
    out(command_help(command, arguments.has("help-all")));
    return 0;
  }
  set_up_terminal(arguments.has("quiet"), arguments.choice("color", "auto", {"auto", "always", "never"}));
  note_translations(arguments);
  if (const std::int64_t threads = arguments.whole("threads", 0, 0, 4096); threads > 0)
    set_thread_count(static_cast<int>(threads));
  const std::string precision = arguments.choice("precision", "f32", {"f32", "bf16", "auto"});
  if (precision == "bf16" || (precision == "auto" && has_bf16_products())) set_product_precision(Precision::kBf16);
  const std::optional<Launch> launch = find_launch();
  if (launch && !command.in_team) {
    throw UsageError("rapt " + command.name + " does not run on several processes, and " + launch->by + " started " +
                     std::to_string(launch->size) + "; start it alone");
  }
  try {
    return command.run(arguments);
  } catch (const UndecidedError& error) {
    const std::string option = error.option().substr(0, error.option().find(' '));
    if (!arguments.takes(option)) throw;
    throw DataError(std::string(error.what()) + ": " + with_option(words, error.option()));
  }
}

// All processes that a launcher started from one command meet the same error; one of them reports it.
int fail(int code, const std::string& message) {
  const std::optional<Launch> launch = find_launch();
  if (!launch || launch->rank == 0) tell("error: " + message + "\n");
  return code;
}

/// Runs, and maps exceptions to exit codes (docs/command-line.md).
int guarded(const std::vector<std::string>& typed) {
  try {
    const int code = run(typed);
    flush_out();
    return code;
  } catch (const PipeClosed&) {
    return kReaderGone;
  } catch (...) {
    const Failure failure = current_failure();
    return fail(failure.code, failure.message);
  }
}

}  // namespace
}  // namespace rapt::app

int main(int argc, char** argv) {
  // A closed pipe is an error of one write and must not end a training run.
  std::signal(SIGPIPE, SIG_IGN);
  // The same for a file larger than ulimit -f allows.
  std::signal(SIGXFSZ, SIG_IGN);
  rapt::remove_temporary_files_on_signals();
  const int code = rapt::app::guarded({argv + 1, argv + argc});
  // Failed writes were already reported; destructors of static objects must not report them again.
  std::fflush(stderr);
  return code;
}
