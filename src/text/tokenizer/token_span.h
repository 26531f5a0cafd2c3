// The position of a token in its text.
#pragma once

#include <cstddef>

namespace rapt {

/// Bytes [begin, end) of a text.
struct TokenSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const TokenSpan&) const = default;
};

}  // namespace rapt
