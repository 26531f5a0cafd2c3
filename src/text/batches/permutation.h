// A random permutation that needs no memory: the element at position i is computed on request.
#pragma once

#include <cstdint>

#include "tensor/random.h"

namespace rapt {

/// A bijection of [0, size) to itself, a pure function of size and key. Used to shuffle data: the order of an epoch
/// needs no memory, and resuming in the middle of an epoch needs no replay.
///
/// A Feistel network (Luby and Rackoff, "How to Construct Pseudorandom Permutations", 1988) with Philox as its round
/// function permutes the smallest square power of two that covers [0, size). Elements outside follow their cycle until
/// they fall inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002), which takes at most four steps
/// on average.
class IndexPermutation final {
 public:
  /// \pre size > 0
  IndexPermutation(std::uint64_t size, RandomKey key);

  std::uint64_t size() const { return size_; }
  /// \pre index < size()
  std::uint64_t operator()(std::uint64_t index) const;

 private:
  std::uint64_t network(std::uint64_t index) const;

  std::uint64_t size_;
  RandomKey key_;
  unsigned half_bits_;  // bits of one half of an index
};

}  // namespace rapt
