#include "text/batches/permutation.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using namespace rapt;

static IndexPermutation permutation(std::uint64_t size, std::uint64_t seed) {
  return {size, random_key(seed, Purpose::kOrder)};
}

TEST_CASE("every element occurs once") {
  for (const std::uint64_t size : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 100, 257, 1000, 4097}) {
    CAPTURE(size);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const IndexPermutation p = permutation(size, seed);
      std::vector<bool> seen(size, false);
      for (std::uint64_t i = 0; i < size; ++i) {
        const std::uint64_t at = p(i);
        REQUIRE(at < size);
        CHECK_FALSE(seen[at]);
        seen[at] = true;
      }
    }
  }
}

TEST_CASE("the order is a function of the key, and different keys give different orders") {
  const IndexPermutation a = permutation(1000, 1), again = permutation(1000, 1), b = permutation(1000, 2);
  int equal = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CHECK(a(i) == again(i));
    equal += a(i) == b(i) ? 1 : 0;
  }
  CHECK(equal < 10);
}

TEST_CASE("each element is equally likely in each position") {
  constexpr std::uint64_t kSize = 10, kSeeds = 20'000;
  std::array<std::array<int, kSize>, kSize> count{};
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const IndexPermutation p = permutation(kSize, seed);
    for (std::uint64_t i = 0; i < kSize; ++i) ++count[i][p(i)];
  }
  for (const auto& row : count) {
    for (const int n : row) CHECK(std::abs(n - 2000) < 250);  // 5.9 standard deviations
  }
}

TEST_CASE("neighbours do not stay adjacent") {
  const IndexPermutation p = permutation(100'000, 3);
  double sum = 0;
  for (std::uint64_t i = 0; i + 1 < 100'000; ++i) {
    sum += std::abs(static_cast<double>(p(i)) - static_cast<double>(p(i + 1)));
  }
  CHECK(sum / 99'999 == doctest::Approx(100'000 / 3.0).epsilon(0.02));
}

TEST_CASE("large ranges work without memory") {
  const IndexPermutation p = permutation(std::uint64_t{1} << 40, 1);
  CHECK(p(0) != p(1));
  CHECK(p((std::uint64_t{1} << 40) - 1) < std::uint64_t{1} << 40);
}
