// rapt help, rapt completion.
#include "commands.h"
#include "help.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "terminal.h"

namespace rapt::app {

static int run_help(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.positionals();
  if (words.empty()) {
    out(overview());
  } else if (const std::string family = words.size() == 1 ? family_help(words[0]) : ""; !family.empty()) {
    out(family);
  } else {
    std::size_t used = 0;
    out(command_help(find_command(words, used), arguments.has("all")));
  }
  return 0;
}

Command help_command() {
  return {
      .name = "help",
      .summary = "list all commands, or explain one",
      .arguments = "[COMMAND]",
      .most = 2,
      .examples = {"rapt help", "rapt help train --all", "rapt help tokenizer"},
      .options = {{.name = "all", .kind = OptionKind::kSwitch, .help = "show every option, not only the common ones"}},
      .run = run_help};
}

static int run_completion(const Arguments& arguments) {
  const std::string shell = arguments.positional(0);
  if (shell != "bash" && shell != "zsh" && shell != "fish")
    throw UsageError("rapt completion supports bash, zsh and fish, got " + in_quotes(shell));
  out(completion_script(shell));
  return 0;
}

Command completion_command() {
  return {.name = "completion",
          .summary = "print a shell completion script",
          .arguments = "bash|zsh|fish",
          .least = 1,
          .most = 1,
          .examples = {"source <(rapt completion bash)", "rapt completion fish > ~/.config/fish/completions/rapt.fish"},
          .run = run_completion};
}

}  // namespace rapt::app
