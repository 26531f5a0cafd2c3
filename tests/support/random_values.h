// Random numbers in a vector, for tests of kernels: the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/random.h"
#include "tensor/types.h"

namespace rapt::testing {

/// Uniform in [-size, size).
template <typename T>
std::vector<T> random_values(Dim count, std::uint32_t seed, double size = 1) {
  Rng rng({seed, 1});
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(size * (2 * rng.uniform() - 1));
  return values;
}

}  // namespace rapt::testing
