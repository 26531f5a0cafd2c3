// The merge engine of byte pair encoding: merges symbols. It works on ids and ranks, not on text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/random.h"

namespace rapt {

/// Two adjacent symbols and the symbol that they merge into.
struct BpeMerge {
  std::int32_t left = 0;
  std::int32_t right = 0;
  std::int32_t result = 0;

  bool operator==(const BpeMerge&) const = default;
};

/// Scratch memory for merging, kept between calls so that a word costs no allocation. One per thread.
struct BpeWorkspace {
  struct Candidate {
    std::uint32_t rank, position;
    std::int32_t result;
  };
  std::vector<Candidate> heap, left_out;
  std::vector<std::uint32_t> ranks, previous, next;
  std::vector<std::int32_t> results;
};

/// BPE-dropout: merges are left out at random, so that a word gets other tokens each time.
struct MergeDropout {
  double probability = 0;  ///< of leaving out a merge
  Rng rng;
};

/// A fixed list of merges. Immutable; safe to use from many threads.
class BpeMerges final {
 public:
  /// \param merges  in the order in which they were learnt: the first has the highest priority. If a pair occurs twice,
  ///                the later merge counts, as in Hugging Face's tokenizers.
  explicit BpeMerges(std::span<const BpeMerge> merges);

  /// Merges until no pair is in the list: always the pair of highest priority, and of equal ones the leftmost. Words of
  /// up to 48 symbols are scanned; longer ones use a heap in O(n log n).
  ///
  /// Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1.
  void apply(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace) const;

  /// The same, with dropout: before each merge, every pair of the list at every position is left out with the given
  /// probability, and of the others the one of highest priority is merged; it ends when all are left out. Trying pairs
  /// in order of priority until one is not left out has the same distribution.
  ///
  /// Provilkov, Emelianenko, Voita 2020, "BPE-Dropout: Simple and Effective Subword Regularization", algorithm 1.
  void apply(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace, MergeDropout& dropout) const;

  std::size_t size() const { return size_; }

 private:
  // 16 bytes: four per cache line.
  struct Slot {
    std::uint64_t pair = kNoPair;
    std::uint32_t rank = 0;
    std::int32_t result = 0;
  };
  static constexpr std::uint64_t kNoPair = ~std::uint64_t{0};

  static std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
    return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
  }
  std::size_t home_of(std::uint64_t pair) const {  // Fibonacci hashing: the high bits of the product
    return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15u) >> shift_);
  }
  const Slot* find(std::int32_t left, std::int32_t right) const;
  void apply_by_scanning(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace) const;
  void apply_by_heap(std::vector<std::int32_t>& symbols, BpeWorkspace& workspace, MergeDropout* dropout) const;

  std::size_t size_;
  int shift_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace rapt
