// How much memory of the pool a result and what its backward pass needs take.
#pragma once

#include "autograd/variable.h"
#include "tensor/storage.h"

namespace rapt::testing {

/// A large block of the pool may be this much larger than its tensor: less is not split off (tensor/storage.cpp).
inline constexpr Dim kPoolSlack = Dim{64} << 10;

/// The bytes held by `make()`, a Variable, and its tape; 0 under the address sanitizer, which replaces the pool.
template <typename Make>
Dim pool_bytes(const Make& make) {
  const std::size_t before = memory_stats().live;
  const Variable y = make();
  const auto bytes = static_cast<Dim>(memory_stats().live - before);
  clear_tape();
  return bytes;
}

}  // namespace rapt::testing
