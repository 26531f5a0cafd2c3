#include "io/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

static std::string place(const std::string& name, const toml::source_position& at) {
  return escape_for_terminal(name) + ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
}

// The length in bytes of the string, comment or single character at the start of `text`. An unterminated string takes
// the rest; the parser will report it.
static std::size_t skip_token(std::string_view text) {
  const char quote = text.front();
  if (quote == '#') return std::min(text.find('\n'), text.size());
  if (quote != '"' && quote != '\'') return 1;
  const std::string_view three = text.substr(0, 3);
  const bool multiline = three == R"(""")" || three == "'''";
  const std::size_t width = multiline ? 3 : 1;
  for (std::size_t i = width; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (!multiline && text[i] == '\n') {
      return i;
    } else if (text.substr(i, width) == text.substr(0, width)) {
      return i + width;
    }
  }
  return text.size();
}

// TOML has no characters outside ASCII except in strings and comments, and toml++ 3.3.0 has undefined behaviour when it
// checks whether one is white space.
static void require_ascii_outside_strings(std::string_view text, const std::string& name) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      at += skip_token(text.substr(at));
      continue;
    }
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (at == 0 && text.starts_with(kByteOrderMark)) {
      at += kByteOrderMark.size();
      continue;
    }
    const std::string_view before = text.substr(0, at);
    const std::size_t newline = before.rfind('\n');
    toml::source_position place_of_it{};
    place_of_it.line = static_cast<toml::source_index>(1 + std::count(before.begin(), before.end(), '\n'));
    place_of_it.column =
        static_cast<toml::source_index>(at - (newline == std::string_view::npos ? 0 : newline + 1) + 1);
    throw ConfigError(place(name, place_of_it) + ": not TOML: characters outside ASCII must be in quotes");
  }
}

static TomlScalar scalar(const toml::node& node, const std::string& where, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* on = node.as_boolean()) return on->get();
  throw ConfigError(where + ": " + escape_for_terminal(key) + " must be a string, a number, true or false");
}

static TomlEntry entry_of(std::string key, const toml::node& node, const std::string& name) {
  TomlEntry entry;
  entry.key = std::move(key);
  entry.line = node.source().begin.line;
  entry.column = node.source().begin.column;
  entry.where = place(name, node.source().begin);
  if (node.is_table()) {
    throw ConfigError(entry.where + ": settings must be at the top level, got the table [" +
                      escape_for_terminal(entry.key) + "]; remove its heading");
  }
  if (const auto* list = node.as_array()) {
    entry.is_list = true;
    for (const toml::node& item : *list) entry.values.push_back(scalar(item, entry.where, entry.key));
  } else {
    entry.values.push_back(scalar(node, entry.where, entry.key));
  }
  return entry;
}

std::vector<TomlEntry> read_flat_toml(std::string_view text, const std::string& name) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
  if (text.size() > kMostBytes) {
    throw ConfigError(escape_for_terminal(name) + ": must be at most " + std::to_string(kMostBytes) + " bytes, got " +
                      std::to_string(text.size()));
  }
  require_ascii_outside_strings(text, name);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw ConfigError(place(name, error.source().begin) + ": not TOML: " + escape_for_terminal(error.description()));
  }
  std::vector<TomlEntry> entries;
  for (const auto& [key, node] : table) entries.push_back(entry_of(std::string(key.str()), node, name));
  // The library sorts by key, but callers may want the later of two settings to take precedence.
  std::sort(entries.begin(), entries.end(), [](const TomlEntry& a, const TomlEntry& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return entries;
}

std::string toml_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace rapt
