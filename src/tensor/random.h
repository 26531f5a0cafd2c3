// Random numbers as a function of where they are used, independent of earlier draws: a resumed run draws the same ones.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "tensor/types.h"

namespace rapt {

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// 64 bits that identify one stream of random numbers.
struct RandomKey {
  std::uint32_t low = 0, high = 0;
};

/// The four random words at `counter` of the stream `key`.
constexpr PhiloxBlock philox4x32(PhiloxBlock counter, RandomKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key.low, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key.high, static_cast<std::uint32_t>(p0)};
    key.low += 0x9E3779B9;
    key.high += 0xBB67AE85;
  }
  return counter;
}

/// The purpose of a random number. Streams of different purposes never overlap.
enum class Purpose : std::uint32_t {
  kInitialisation = 1,
  kDropout,
  kOrder,
  kSampling,
  kMasking,
  kText,
  kBootstrap,
  kTokens,
  kRounding
};

/// The stream for one purpose of a run: a pure function of its arguments. `index` is the update, the epoch or the
/// parameter; `site` is the place within it.
constexpr RandomKey random_key(std::uint64_t seed, Purpose purpose, std::uint64_t index = 0, std::uint32_t site = 0) {
  const PhiloxBlock block = philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                                        static_cast<std::uint32_t>(purpose), site},
                                       {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return {block[0], block[1]};
}

/// The uses of Purpose::kOrder. Do not change their numbers: resumed runs must draw the same order.
enum class OrderSite : std::uint32_t {
  kSamples = 0,   ///< the starts of windows of text; the order of labelled examples
  kWindows = 1,   ///< the order of the windows of a text
  kCut = 2,       ///< the start of the first of these windows
  kMaskings = 8,  ///< the order of the instances of masked language models
  kPairs = 16,    ///< the sentences of each instance, in stream 0; the numbers after it are for the other streams
};
constexpr RandomKey order_key(std::uint64_t seed, OrderSite site, std::uint64_t index = 0, std::uint32_t stream = 0) {
  return random_key(seed, Purpose::kOrder, index, static_cast<std::uint32_t>(site) + stream);
}

/// Reads a stream from its beginning, word by word. A value type: a copy keeps its position.
class Rng {
 public:
  explicit constexpr Rng(RandomKey key) : key_(key) {}

  constexpr std::uint32_t bits() {
    const std::uint64_t block = position_ / 4;
    if (position_ % 4 == 0) {
      words_ = philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, key_);
    }
    return words_[position_++ % 4];
  }
  constexpr std::uint64_t bits64() {
    const std::uint64_t high = bits();
    return high << 32 | bits();
  }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  /// Uniform in [0, bound), without bias. \pre bound > 0
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;  // a multiple of bound
    std::uint64_t x = bits64();
    while (x >= limit) x = bits64();
    return x % bound;
  }
  /// Standard normal (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  RandomKey key_;
  std::uint64_t position_ = 0;
  PhiloxBlock words_{};
};

/// Which elements dropout keeps: a function of the stream, the row and the column. `first_row` is the number of rows in
/// earlier micro-batches of the same update, so that accumulated small batches drop the same elements as one large
/// batch.
struct DropoutKey {
  RandomKey key;
  Dim first_row = 0;
};

}  // namespace rapt
