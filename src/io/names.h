// Looks up a word in a table by name. The error for an unknown word lists the words and names the most similar one.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rapt {

/// Throws the UsageError `<what> must be one of a, b, c, got "bb"; did you mean b?`.
[[noreturn]] void refuse_name(std::string_view what, std::string_view name, const std::vector<std::string>& names);

/// The entry of a table with this name.
/// \param table    entries that outlive the call
/// \param name_of  returns an entry's name: a member (`&Preset::name`) or a function
/// \param what     start of the error: "metric:", "--preset"
/// \throws UsageError  as refuse_name, for an unknown name
template <typename Table, typename NameOf>
const auto& find_named(std::string_view name, const Table& table, NameOf name_of, std::string_view what) {
  const auto found = std::ranges::find_if(
      table, [&](const auto& entry) { return std::string_view(std::invoke(name_of, entry)) == name; });
  if (found != std::ranges::end(table)) return *found;
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(std::invoke(name_of, entry));
  refuse_name(what, name, names);
}

/// The enumerator with this name, in a table of pairs of an enumerator and its name.
/// \throws UsageError  as refuse_name
template <typename Table>
auto value_named(std::string_view name, const Table& table, std::string_view what) {
  return find_named(
             name, table, [](const auto& entry) { return entry.second; }, what)
      .first;
}

/// The name of an enumerator in such a table; null if it has none.
template <typename Table, typename Value>
const char* name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return nullptr;
}

}  // namespace rapt
