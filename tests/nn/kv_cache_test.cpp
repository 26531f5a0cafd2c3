#include "nn/kv_cache.h"

#include <doctest/doctest.h>

#include <vector>

using namespace rapt;

namespace {

constexpr Dim kCapacity = 4, kWidth = 2;

// Sequence b of a cache has b + 1 tokens; all columns of its token i are 10 b + i, negative in the values.
void fill(KeyValueCache& cache) {
  std::vector<Dim> lengths;
  for (Dim b = 0; b < cache.sequences(); ++b) {
    lengths.push_back(b + 1);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      for (Dim i = 0; i < (b + 1) * kWidth; ++i) {
        const auto value = static_cast<float>(10 * b + i / kWidth);
        cache.layer(layer).keys.data<float>()[b * kCapacity * kWidth + i] = value;
        cache.layer(layer).values.data<float>()[b * kCapacity * kWidth + i] = -value;
      }
    }
  }
  cache.advance(pack_lengths(lengths));
}

// Whether the cache's sequences are those of a filled cache, in this order.
void check_holds(KeyValueCache& cache, const std::vector<Dim>& sources) {
  REQUIRE(cache.sequences() == static_cast<Dim>(sources.size()));
  for (Dim b = 0; b < cache.sequences(); ++b) {
    const Dim source = sources[static_cast<std::size_t>(b)];
    CAPTURE(b);
    CHECK(cache.length(b) == source + 1);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      for (Dim i = 0; i < (source + 1) * kWidth; ++i) {
        const auto value = static_cast<float>(10 * source + i / kWidth);
        CHECK(cache.layer(layer).keys.data<float>()[b * kCapacity * kWidth + i] == value);
        CHECK(cache.layer(layer).values.data<float>()[b * kCapacity * kWidth + i] == -value);
      }
    }
  }
}

}  // namespace

TEST_CASE("sequences of a cache swap, leave, multiply and come back to fewer, with all their tokens") {
  const std::vector<std::vector<Dim>> orders = {{0, 1, 2}, {2, 0, 1}, {1, 0},          {2},
                                                {},        {1, 1, 1}, {2, 2, 0, 1, 1}, {0, 0, 0, 0, 0, 0, 0}};
  for (const std::vector<Dim>& order : orders) {
    CAPTURE(order.size());
    KeyValueCache cache({.layers = 2, .sequences = 3, .capacity = kCapacity, .width = kWidth});
    fill(cache);
    cache.reorder(order);
    check_holds(cache, order);
    if (order.empty()) continue;
    cache.reorder(std::vector<Dim>{cache.sequences() - 1, 0});
    check_holds(cache, {order.back(), order.front()});
    cache.reorder(std::vector<Dim>{1, 0, 1});  // back to the maximum number
    check_holds(cache, {order.front(), order.back(), order.front()});
  }
}
