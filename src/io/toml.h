// Flat TOML: settings as `key = value` lines, each with its position in the file, for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rapt {

using TomlScalar = std::variant<bool, std::int64_t, double, std::string>;

struct TomlEntry {
  std::string key;
  std::vector<TomlScalar> values;  ///< one, or the elements of a list
  bool is_list = false;
  std::uint32_t line = 0, column = 0;  ///< from 1
  std::string where;                   ///< "run.toml:3:7"
};

/// Reads settings in file order. `name` is the name of the text in messages: a path, or "run.h5: /config".
///
/// \throws ConfigError  with name, line and column: not TOML (including a duplicate key), a table, a date, a list
/// within
///     a list; more than 1 MiB of text
std::vector<TomlEntry> read_flat_toml(std::string_view text, const std::string& name);

/// The text as a TOML string, quotes included. It must be UTF-8.
std::string toml_string(std::string_view text);

}  // namespace rapt
