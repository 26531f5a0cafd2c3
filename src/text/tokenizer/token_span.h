// Where a token stands in its text.
#pragma once

#include <cstddef>

namespace rapt {

/// Bytes of a text, from `begin` up to `end`.
struct TokenSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const TokenSpan&) const = default;
};

}  // namespace rapt
