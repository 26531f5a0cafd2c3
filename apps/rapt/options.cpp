#include "options.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include "foreign_options.h"
#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"
#include "train/settings/settings.h"

namespace rapt::app {

const std::vector<Option>& global_options() {
  static const std::vector<Option> options = {
      {.name = "threads",
       .value = "N",
       .help = "number of threads; 0: all cores. Results do not depend on it",
       .aliases = {"t", "cpu-threads", "num-threads"},
       .group = "system"},
      {.name = "precision",
       .value = "f32|bf16|auto",
       .help = "type of the operands of products; bf16 is faster with AVX512-BF16 or AMX; auto: the faster one",
       .group = "system"},
      {.name = "quiet",
       .kind = OptionKind::kSwitch,
       .help = "print only results and errors",
       .aliases = {"q"},
       .group = "system"},
      {.name = "color",
       .value = "auto|always|never",
       .help = "colours and progress bars; NO_COLOR in the environment means never",
       .aliases = {"colour"},
       .group = "system",
       .common = false},
      {.name = "help", .kind = OptionKind::kSwitch, .help = "show this help", .aliases = {"h"}, .group = "system"},
      {.name = "help-all", .kind = OptionKind::kSwitch, .help = "show this help with every option", .group = "system"},
  };
  return options;
}

std::vector<Option> setting_options(const std::vector<std::string>& names, const TrainConfig& defaults) {
  std::vector<Option> options;
  const auto add = [&](const Setting& s) {
    if (s.name == "threads" || s.name == "precision") return;  // global options
    const std::vector<std::string> values = s.get(defaults);
    Option option{
        .name = s.name, .value = s.value, .help = s.help, .aliases = s.aliases, .group = s.group, .common = s.common};
    if (s.type == SettingType::kList) option.kind = OptionKind::kList;
    if (s.type == SettingType::kSwitch) option.kind = OptionKind::kOnOff;
    if (s.type != SettingType::kList && !values.empty() && values[0] != "0") option.fallback = values[0];
    if (s.name == "out") option.aliases.emplace_back("o");
    options.push_back(std::move(option));
  };
  if (names.empty())
    for (const Setting& s : settings()) add(s);
  for (const std::string& name : names) add(*find_setting(name));
  return options;
}

static std::string kebab(std::string_view word) {
  std::string out(word);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

static std::string dashed(std::string_view name) { return (name.size() == 1 ? "-" : "--") + std::string(name); }

std::vector<std::string> Arguments::words() const {
  std::vector<std::string> words = {"rapt"};
  std::istringstream verb(command_.name);
  for (std::string word; verb >> word;) words.push_back(word);
  words.insert(words.end(), typed_.begin(), typed_.end());
  return words;
}

Arguments::Arguments(const Command& command, const std::vector<std::string>& typed)
    : command_(command), typed_(typed), options_(command.options) {
  for (const Option& option : global_options()) options_.push_back(option);
  // An unknown option is reported before errors that it may have caused, such as a missing value.
  for (const std::string& word : typed) {
    if (word == "--") break;
    const bool negative = word.size() > 1 && (std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
    if (word.size() > 1 && word[0] == '-' && !negative && !is_option(word)) {
      // The word after an option that takes a value is its value, whatever it starts with.
      const auto at = static_cast<std::size_t>(&word - typed.data());
      bool negated = false;
      const std::string before = at > 0 ? typed[at - 1] : "";
      const Option* owner = before.size() > 1 && before[0] == '-' && before.find('=') == std::string::npos
                                ? find(before, negated)
                                : nullptr;
      const bool is_value =
          owner && (owner->kind == OptionKind::kValue || owner->kind == OptionKind::kList) && word[1] != '-';
      if (!is_value) unknown(word);
    }
  }
  for (std::size_t at = 0; at < typed.size();) {
    if (typed[at] == "--") {
      positionals_.insert(positionals_.end(), typed.begin() + static_cast<std::ptrdiff_t>(at) + 1, typed.end());
      break;
    }
    const bool is_flag = typed[at].size() > 1 && typed[at][0] == '-' && is_option(typed[at]);
    if (is_flag) {
      at = take(typed, at);
    } else {
      positionals_.push_back(typed[at++]);
    }
  }
  if (!wants_help()) check_positionals();
}

const Option* Arguments::find(std::string_view typed, bool& negated) const {
  typed = typed.substr(0, typed.find('='));
  const bool single = !typed.starts_with("--");
  const std::string name = kebab(typed.substr(single ? 1 : 2));
  if (single != (name.size() == 1)) return nullptr;
  negated = false;
  const auto match = [&](const std::string& wanted) -> const Option* {
    for (const Option& option : options_)
      if (option.name == wanted ||
          std::find(option.aliases.begin(), option.aliases.end(), wanted) != option.aliases.end())
        return &option;
    return nullptr;
  };
  if (const Option* option = match(name)) return option;
  if (!name.starts_with("no-")) return nullptr;
  const Option* option = match(name.substr(3));
  negated = option && option->kind == OptionKind::kOnOff;
  return negated ? option : nullptr;
}

bool Arguments::is_option(std::string_view word) const {
  bool negated = false;
  return word.size() > 1 && word[0] == '-' && find(word, negated) != nullptr;
}

void Arguments::unknown(std::string_view word) const {
  const std::string_view name = word.substr(0, word.find('='));
  const std::string bare = kebab(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  if (const ForeignOption* foreign = find_foreign_option(bare)) {
    const auto is_ours = [&](const Option& option) { return option.name == foreign->ours; };
    if (foreign->ours.empty() || std::ranges::any_of(options_, is_ours))
      throw UsageError(escape_for_terminal(name) + " is an option of " + std::string(foreign->program) + ": " +
                       std::string(foreign->advice));
  }
  std::vector<std::string> names;
  for (const Option& option : options_) names.push_back(option.name);
  for (const Option& option : options_)
    for (const std::string& alias : option.aliases)
      if (alias.size() > 1) names.push_back(alias);
  std::string near = nearest(bare, names);
  // An alias was meant: name the option as help does.
  for (const Option& option : options_)
    if (std::find(option.aliases.begin(), option.aliases.end(), near) != option.aliases.end()) near = option.name;
  throw UsageError("unknown option " + escape_for_terminal(name) +
                   (near.empty() ? "; see rapt help " + command_.name : "; did you mean --" + near + "?"));
}

std::size_t Arguments::take(const std::vector<std::string>& typed, std::size_t at) {
  const std::string& word = typed[at];
  bool negated = false;
  const Option& option = *find(word, negated);
  const std::size_t equals = word.find('=');
  const std::string as_typed = word.substr(0, equals);
  const std::string canonical = dashed((negated ? "no-" : "") + option.name);
  // -o for --out is this program's own short form; only names from other projects are worth a note.
  const bool own = std::ranges::find(option.own, kebab(as_typed).substr(2)) != option.own.end();
  if (as_typed != canonical && as_typed.size() > 2 && !own &&
      std::find(translated_.begin(), translated_.end(), std::pair{as_typed, canonical}) == translated_.end())
    translated_.emplace_back(as_typed, canonical);

  const auto give = [&](std::string value) { given_.push_back({option.name, std::move(value)}); };
  if (option.kind == OptionKind::kSwitch) {
    if (equals != std::string::npos)
      throw UsageError(as_typed + " takes no value, got " + in_quotes(word.substr(equals + 1)));
    give("on");
    return at + 1;
  }
  if (negated) {
    if (equals != std::string::npos)
      throw UsageError(as_typed + " takes no value, got " + in_quotes(word.substr(equals + 1)));
    give("off");
    return at + 1;
  }
  if (equals != std::string::npos) {
    give(word.substr(equals + 1));
    return at + 1;
  }
  const bool another = at + 1 < typed.size();
  if (option.kind == OptionKind::kOnOff) {
    static const std::vector<std::string> words = {"on",    "off", "true", "false", "True",
                                                   "False", "yes", "no",   "0",     "1"};
    const bool taken = another && std::find(words.begin(), words.end(), typed[at + 1]) != words.end();
    give(taken ? typed[at + 1] : "on");
    return at + (taken ? 2 : 1);
  }
  if (!another || typed[at + 1] == "--" || is_option(typed[at + 1]))
    throw UsageError(as_typed + " needs a value: " + as_typed + " " + option.value);
  give(typed[at + 1]);
  return at + 2;
}

void Arguments::check_positionals() const {
  const std::string call = "rapt " + command_.name;
  if (positionals_.size() > command_.most) {
    const std::string& extra = positionals_[command_.most];
    std::string advice = "see rapt help " + command_.name;
    for (const Option& option : command_.options)  // the option for what other programs take as an argument
      if (command_.most > 0 && (option.name == "data" || option.name == "prompt"))
        advice = "use --" + option.name + " " +
                 (extra.find(' ') == std::string::npos ? escape_for_terminal(extra) : in_quotes(extra));
    throw UsageError("unexpected argument " + in_quotes(extra) + ": " + call + " takes " +
                     (command_.arguments.empty() ? "no arguments" : "only " + command_.arguments) + "; " + advice);
  }
  if (positionals_.size() < command_.least)
    throw UsageError(call + " needs " + command_.arguments + "; see rapt help " + command_.name);
}

bool Arguments::has(std::string_view name) const {
  return std::any_of(given_.begin(), given_.end(), [&](const Given& given) { return given.name == name; });
}

std::string Arguments::text(std::string_view name, std::string fallback) const {
  for (auto given = given_.rbegin(); given != given_.rend(); ++given)
    if (given->name == name) return given->value;
  return fallback;
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  std::vector<std::string> values;
  for (const Given& given : given_)
    if (given.name == name) values.push_back(given.value);
  return values;
}

template <typename Read>
static auto read_or_refuse(std::string_view name, Read read) {
  try {
    return read();
  } catch (const std::invalid_argument& error) {
    throw UsageError("--" + std::string(name) + " " + error.what());
  }
}

bool Arguments::on(std::string_view name, bool fallback) const {
  if (!has(name)) return fallback;
  return read_or_refuse(name, [&] { return parse_switch(text(name)); });
}

std::int64_t Arguments::whole(std::string_view name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const {
  if (!has(name)) return fallback;
  return read_or_refuse(name, [&] { return parse_whole(text(name), least, most); });
}

double Arguments::number(std::string_view name, double fallback, Range range) const {
  if (!has(name)) return fallback;
  return read_or_refuse(name, [&] { return parse_number(text(name), range); });
}

std::string Arguments::choice(std::string_view name, std::string fallback,
                              const std::vector<std::string>& choices) const {
  const std::string word = text(name, fallback);
  if (!has(name) || std::find(choices.begin(), choices.end(), word) != choices.end()) return word;
  throw UsageError("--" + std::string(name) + " must be one of " + joined(choices, "|") + ", got " + in_quotes(word) +
                   did_you_mean(word, choices));
}

std::string Arguments::required(std::string_view name) const {
  if (has(name)) return text(name);
  std::string value;
  for (const Option& option : options_)
    if (option.name == name) value = option.value;
  throw UsageError("rapt " + command_.name + " needs --" + std::string(name) + " " + value);
}

std::string Arguments::positional(std::size_t n, std::string fallback) const {
  return n < positionals_.size() ? positionals_[n] : std::move(fallback);
}

std::vector<FlagValue> Arguments::settings() const {
  std::vector<FlagValue> flags;
  for (const Given& given : given_) {
    const Setting* setting = find_setting(given.name);
    if (!setting) continue;
    const auto same =
        std::find_if(flags.begin(), flags.end(), [&](const FlagValue& flag) { return flag.name == given.name; });
    if (setting->type == SettingType::kList && same != flags.end()) {
      same->values.push_back(given.value);
    } else {
      flags.push_back({given.name, {given.value}});
    }
  }
  return flags;
}

}  // namespace rapt::app
