#include "text/batches/permutation.h"

#include <bit>
#include <cassert>

namespace rapt {

IndexPermutation::IndexPermutation(std::uint64_t size, RandomKey key) : size_(size), key_(key) {
  assert(size > 0);
  const auto bits = static_cast<unsigned>(std::bit_width(size - 1));
  half_bits_ = bits < 2 ? 1 : (bits + 1) / 2;
}

std::uint64_t IndexPermutation::network(std::uint64_t index) const {
  // Four rounds are enough for large halves; small ones, in which a round has few choices, get more.
  const std::uint32_t rounds = half_bits_ < 8 ? 12 : 6;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = index >> half_bits_, right = index & mask;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const PhiloxBlock block = philox4x32({static_cast<std::uint32_t>(right), 0, round, 0}, key_);
    const std::uint64_t mixed = left ^ (block[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

std::uint64_t IndexPermutation::operator()(std::uint64_t index) const {
  assert(index < size_);
  do index = network(index);
  while (index >= size_);
  return index;
}

}  // namespace rapt
