// The options and arguments of a subcommand, and what was typed. A small parser of our own instead of CLI11's:
// docs/decisions/options.md says why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/settings/config_file.h"
#include "train/settings/numbers.h"

namespace rapt::app {

enum class OptionKind {
  kValue,   ///< `--steps 5`, `--steps=5`
  kList,    ///< the same, any number of times
  kSwitch,  ///< `--json`
  kOnOff,   ///< `--bias`, `--bias off`, `--no-bias`
};

struct Option {
  std::string name;  ///< without dashes: `max-tokens`
  OptionKind kind = OptionKind::kValue;
  std::string value = {};                 ///< name of the value in help: `N`
  std::string help = {};                  ///< one line, no full stop
  std::vector<std::string> aliases = {};  ///< kebab-case; single letters take one dash
  std::string group = {};                 ///< heading in help; empty: `options`
  std::string fallback = {};              ///< the default, shown in help
  bool common = true;                     ///< in --help, not only in --help-all
  std::vector<std::string> own = {};      ///< aliases that are the command's own names and cause no note
};

struct Command;

/// The words typed after the command, checked against its options and arguments.
class Arguments final {
 public:
  /// \throws UsageError  for unknown options (first, with the most similar name), missing values, too many or too few
  ///     arguments
  Arguments(const Command& command, const std::vector<std::string>& typed);

  bool has(std::string_view name) const;
  /// Whether the command has an option of this name, with its dashes.
  bool takes(std::string_view name) const { return is_option(name); }
  /// The value of an option; the last one if it was given several times.
  std::string text(std::string_view name, std::string fallback = "") const;
  std::vector<std::string> list(std::string_view name) const;
  bool on(std::string_view name, bool fallback = false) const;
  /// \throws UsageError  "--steps must be a whole number of at least 1, got "x""
  std::int64_t whole(std::string_view name, std::int64_t fallback, std::int64_t least,
                     std::int64_t most = INT64_MAX) const;
  double number(std::string_view name, double fallback, Range range) const;
  /// \throws UsageError  "--format must be one of hf|npz, got "x""
  std::string choice(std::string_view name, std::string fallback, const std::vector<std::string>& choices) const;
  /// \throws UsageError  "rapt tokenizer train needs --out FILE"
  std::string required(std::string_view name) const;

  /// All typed words, including the program and the command.
  std::vector<std::string> words() const;

  const std::vector<std::string>& positionals() const { return positionals_; }
  /// The n-th argument without a dash, or `fallback` if there are fewer.
  std::string positional(std::size_t n, std::string fallback = "") const;

  /// The options that are settings of a training run, in typed order.
  std::vector<FlagValue> settings() const;

  /// Aliases that were used, with the canonical names, both with their dashes.
  const std::vector<std::pair<std::string, std::string>>& translated() const { return translated_; }
  bool wants_help() const { return has("help") || has("help-all"); }

 private:
  struct Given {
    std::string name;
    std::string value;
  };
  std::size_t take(const std::vector<std::string>& typed, std::size_t at);
  const Option* find(std::string_view typed, bool& negated) const;
  bool is_option(std::string_view word) const;
  [[noreturn]] void unknown(std::string_view word) const;
  void check_positionals() const;

  const Command& command_;
  std::vector<std::string> typed_;
  std::vector<Option> options_;
  std::vector<Given> given_;
  std::vector<std::string> positionals_;
  std::vector<std::pair<std::string, std::string>> translated_;
};

/// One subcommand. The table of them is in commands.cpp.
struct Command {
  std::string name;                 ///< as typed: `train`, `tokenizer train`
  std::string summary;              ///< one line, no full stop
  std::string arguments = {};       ///< arguments without dashes: `[FILE...]`
  std::size_t least = 0, most = 0;  ///< minimum and maximum number of these
  std::vector<std::string> examples = {};
  std::vector<Option> options = {};
  std::string more = {};  ///< text at the end of help
  bool in_team = false;   ///< may run on several processes
  int (*run)(const Arguments&) = nullptr;
};

/// Options that every command takes.
const std::vector<Option>& global_options();

/// The named settings as options, in that order, or all of them if `names` is empty.
/// \param defaults  the default values that help shows
std::vector<Option> setting_options(const std::vector<std::string>& names = {}, const TrainConfig& defaults = {});

}  // namespace rapt::app
