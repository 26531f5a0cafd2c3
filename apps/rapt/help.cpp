#include "help.h"

#include <algorithm>
#include <vector>

#include "commands.h"

#ifndef RAPT_VERSION
#define RAPT_VERSION "unknown"
#endif

namespace rapt::app {

std::string version() { return "rapt " RAPT_VERSION; }

static std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

static std::string command_lines(const std::string& family) {
  std::string out;
  for (const Command& command : commands()) {
    const bool inside =
        family.empty() ? command.name.find(' ') == std::string::npos : command.name.starts_with(family + " ");
    if (inside) out += "  " + padded("rapt " + command.name, 28) + command.summary + "\n";
  }
  return out;
}

std::string overview() {
  std::string out =
      "rapt trains transformers on CPU cores: from a text file to a model, from one command line.\n"
      "\n"
      "  rapt demo                                 train a small model on stories for two minutes\n"
      "  rapt train my.txt                         train on your own text; writes runs/my\n"
      "  rapt generate runs/my --prompt \"Once\"     generate text\n"
      "\n"
      "Commands:\n" +
      command_lines("");
  for (const Family& family : families())
    if (const std::string lines = command_lines(family.name); !lines.empty())
      out += "\n" + family.name + ": " + family.summary + "\n" + lines;
  return out +
         "\nrapt help COMMAND explains one command. rapt --version prints the version. Every command takes --quiet,\n"
         "--threads N and --color never.\n";
}

std::string family_help(std::string_view family) {
  for (const Family& f : families())
    if (f.name == family)
      return "rapt " + f.name + ": " + f.summary + "\n\n" + command_lines(f.name) + "\nrapt help " + f.name +
             " COMMAND explains one command.\n";
  return "";
}

static std::string option_line(const Option& option) {
  std::string names;
  for (const std::string& alias : option.aliases)
    if (alias.size() == 1) names += "-" + alias + ", ";
  names += "--" + option.name;
  if (!option.value.empty() && option.kind != OptionKind::kOnOff) names += " " + option.value;
  if (option.kind == OptionKind::kOnOff) names += " on|off";
  std::string line = "  " + padded(names, 30);
  // A long list of choices gets its own line.
  if (names.size() > 28) line = "  " + names + "\n" + std::string(32, ' ');
  return line + option.help + (option.fallback.empty() ? "" : " [" + option.fallback + "]") + "\n";
}

static std::string heading(const std::string& group) {
  std::string out = group.empty() ? "options" : group;
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out + ":\n";
}

std::string command_help(const Command& command, bool all) {
  std::string out = "rapt " + command.name + ": " + command.summary + "\n\n";
  for (const std::string& example : command.examples) out += "  " + example + "\n";
  if (!command.examples.empty()) out += "\n";
  out += "Usage: rapt " + command.name + (command.arguments.empty() ? "" : " " + command.arguments) + " [options]\n";

  std::vector<Option> options = command.options;
  options.insert(options.end(), global_options().begin(), global_options().end());
  std::vector<std::string> groups;
  for (const Option& option : options)
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  std::size_t hidden = 0;
  for (const std::string& group : groups) {
    std::string lines;
    for (const Option& option : options) {
      if (option.group != group) continue;
      if (option.common || all)
        lines += option_line(option);
      else
        ++hidden;
    }
    if (!lines.empty()) out += "\n" + heading(group) + lines;
  }
  if (hidden > 0 && options.size() > 15)
    out += "\nrapt " + command.name + " --help-all shows " + std::to_string(hidden) +
           (hidden == 1 ? " more option.\n" : " more options.\n");
  if (!command.more.empty()) out += "\n" + command.more;
  return out;
}

}  // namespace rapt::app
