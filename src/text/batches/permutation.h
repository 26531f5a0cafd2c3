// A random order of n things that need not be kept: position i's element is computed when it is asked for.
#pragma once

#include <cstdint>

#include "tensor/random.h"

namespace rapt {

/// A bijection of [0, size) to itself, a pure function of size and key. What shuffles data: the order of an epoch needs
/// no memory, and resuming in its middle needs no replaying.
///
/// A Feistel network (Luby and Rackoff, "How to Construct Pseudorandom Permutations", 1988) with Philox as its round
/// function permutes the smallest square power of two that holds [0, size); elements outside are walked along their
/// cycle until they fall inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002), four steps at most
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
  unsigned half_bits_;  // of one half of an index
};

}  // namespace rapt
