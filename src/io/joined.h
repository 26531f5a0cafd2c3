// Lists in messages and files: "a, b, c".
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace rapt {

/// The items with the separator between them.
/// \param text  what is written for an item; itself by default
template <typename Items, typename Text = std::identity>
std::string joined(const Items& items, std::string_view separator = ", ", const Text& text = {}) {
  std::string all;
  for (bool first = true; const auto& item : items) {
    if (!std::exchange(first, false)) all += separator;
    all += std::invoke(text, item);
  }
  return all;
}

/// The first `most` items, and ", ..." in place of the rest.
template <typename Items, typename Text = std::identity>
std::string joined_first(const Items& items, std::size_t most, const Text& text = {}) {
  const std::size_t size = std::size(items);
  std::string all;
  for (std::size_t i = 0; i < std::min(size, most); ++i) {
    if (i > 0) all += ", ";
    all += std::invoke(text, items[i]);
  }
  return size > most ? all + ", ..." : all;
}

}  // namespace rapt
