#include <algorithm>
#include <string>
#include <vector>

#include "commands.h"
#include "help.h"
#include "io/joined.h"

namespace rapt::app {

static std::vector<std::string> first_words() {
  std::vector<std::string> words;
  for (const Command& command : commands()) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

static std::string second_words(const std::string& family) {
  std::vector<std::string> words;
  for (const Command& command : commands())
    if (command.name.starts_with(family + " ")) words.push_back(command.name.substr(family.size() + 1));
  return joined(words, " ");
}

static std::string flags_of(const Command& command) {
  std::vector<std::string> flags;
  for (const auto* options : {&command.options, &global_options()})
    for (const Option& option : *options) flags.push_back("--" + option.name);
  return joined(flags, " ");
}

// Words that may follow a command; files if nothing else fits.
static std::string bash() {
  std::string out =
      "# rapt completion bash > /etc/bash_completion.d/rapt\n"
      "_rapt() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" verb=\"${COMP_WORDS[1]}\" words=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    words=\"" +
      joined(first_words(), " ") +
      "\"\n"
      "  else\n"
      "    case \"$verb ${COMP_WORDS[2]}\" in\n";
  for (const Command& command : commands())
    if (command.name.find(' ') != std::string::npos)
      out += "      \"" + command.name + "\") words=\"" + flags_of(command) + "\" ;;\n";
  out += "      *) case \"$verb\" in\n";
  for (const std::string& word : first_words()) {
    if (const std::string verbs = second_words(word); !verbs.empty())
      out += "        " + word + ") words=\"" + verbs + "\" ;;\n";
  }
  for (const Command& command : commands())
    if (command.name.find(' ') == std::string::npos)
      out += "        " + command.name + ") words=\"" + flags_of(command) + "\" ;;\n";
  return out +
         "      esac ;;\n"
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  if [ \"${#COMPREPLY[@]}\" -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
         "}\n"
         "complete -o filenames -F _rapt rapt\n";
}

static std::string fish() {
  const auto quoted = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return "'" + text + "'";
  };
  std::string out = "# rapt completion fish > ~/.config/fish/completions/rapt.fish\n";
  for (const std::string& word : first_words()) {
    std::string about;
    for (const Command& command : commands())
      if (command.name == word) about = command.summary;
    for (const Family& family : families())
      if (family.name == word) about = family.summary;
    out += "complete -c rapt -n __fish_use_subcommand -a " + word + " -d " + quoted(about) + "\n";
  }
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string family = command.name.substr(0, space),
                      verb = space == std::string::npos ? "" : command.name.substr(space + 1);
    std::string here = "__fish_seen_subcommand_from " + family;
    if (!verb.empty()) {
      out += "complete -c rapt -n '" + here + "; and not __fish_seen_subcommand_from " + second_words(family) +
             "' -a " + verb + " -d " + quoted(command.summary) + "\n";
      here += "; and __fish_seen_subcommand_from " + verb;
    }
    for (const auto* options : {&command.options, &global_options()})
      for (const Option& option : *options) {
        const bool alone = option.kind == OptionKind::kSwitch || option.kind == OptionKind::kOnOff;
        out += "complete -c rapt -n '" + here + "' -l " + option.name + (alone ? "" : " -r") + " -d " +
               quoted(option.help) + "\n";
      }
  }
  return out;
}

// zsh runs bash's completion functions.
static std::string zsh() {
  return "#compdef rapt\n"
         "# rapt completion zsh > a file named _rapt in a folder of $fpath\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash();
}

std::string completion_script(std::string_view shell) {
  return shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
}

}  // namespace rapt::app
