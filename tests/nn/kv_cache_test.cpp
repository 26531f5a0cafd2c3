#include "nn/kv_cache.h"

#include <doctest/doctest.h>

#include <vector>

using namespace rapt;

namespace {

constexpr Dim kLayers = 2, kCapacity = 4, kWidth = 3;
const std::vector<Dim> kLengths = {2, 4, 0, 1};

// The element that sequence b of a new cache has at this place: which sequence it came from shows in its value.
double element(std::size_t layer, bool value, std::size_t b, Dim token, Dim column) {
  return static_cast<double>(((layer * 2 + (value ? 1 : 0)) * 10 + b) * 100) + static_cast<double>(token * 10 + column);
}

template <typename T>
T* row(Tensor& rows, std::size_t b, Dim token) {
  return rows.data<T>() + (static_cast<Dim>(b) * kCapacity + token) * kWidth;
}

template <typename T>
void check_reordered(const std::vector<Dim>& from) {
  KeyValueCache cache({.layers = kLayers,
                       .sequences = static_cast<Dim>(kLengths.size()),
                       .capacity = kCapacity,
                       .width = kWidth,
                       .dtype = dtype_of<T>});
  for (std::size_t l = 0; l < kLayers; ++l) {
    for (std::size_t b = 0; b < kLengths.size(); ++b) {
      for (Dim t = 0; t < kLengths[b]; ++t) {
        for (Dim c = 0; c < kWidth; ++c) {
          row<T>(cache.layer(l).keys, b, t)[c] = static_cast<T>(element(l, false, b, t, c));
          row<T>(cache.layer(l).values, b, t)[c] = static_cast<T>(element(l, true, b, t, c));
        }
      }
    }
  }
  cache.advance(pack_lengths(kLengths));
  cache.reorder(from);
  REQUIRE(cache.sequences() == static_cast<Dim>(from.size()));
  for (std::size_t b = 0; b < from.size(); ++b) {
    const auto source = static_cast<std::size_t>(from[b]);
    CAPTURE(b);
    REQUIRE(cache.length(static_cast<Dim>(b)) == kLengths[source]);
    for (std::size_t l = 0; l < kLayers; ++l) {
      for (Dim t = 0; t < kLengths[source]; ++t) {
        for (Dim c = 0; c < kWidth; ++c) {
          CHECK(row<T>(cache.layer(l).keys, b, t)[c] == static_cast<T>(element(l, false, source, t, c)));
          CHECK(row<T>(cache.layer(l).values, b, t)[c] == static_cast<T>(element(l, true, source, t, c)));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("reordered sequences have the keys, values and lengths of those they come from") {
  const std::vector<std::vector<Dim>> orders = {
      {0, 1, 2, 3},     // as they are
      {1, 0, 3, 2},     // swapped
      {1, 2, 3, 0},     // all move on
      {1, 1, 1, 1},     // one for all
      {3, 0},           // fewer
      {1, 3, 0, 1, 2},  // more than there is room for
      {3, 3, 3, 1, 1, 1, 0, 0, 2},
      {},  // none
  };
  for (const std::vector<Dim>& from : orders) {
    CAPTURE(from.size());
    check_reordered<float>(from);
    check_reordered<double>(from);
  }
}

TEST_CASE("a cache that has grown, shrunk and grown again keeps what it holds") {
  KeyValueCache cache({.layers = 1, .sequences = 2, .capacity = kCapacity, .width = 1});
  for (const float b : {0.0F, 1.0F}) cache.layer(0).keys.data<float>()[static_cast<Dim>(b) * kCapacity] = b;
  cache.advance(pack_lengths(std::vector<Dim>{1, 1}));
  const auto keys = [&] {
    std::vector<float> first;
    for (Dim b = 0; b < cache.sequences(); ++b) first.push_back(cache.layer(0).keys.data<float>()[b * kCapacity]);
    return first;
  };
  cache.reorder(std::vector<Dim>{0, 1, 0, 1, 1});
  CHECK(keys() == std::vector<float>{0, 1, 0, 1, 1});
  cache.reorder(std::vector<Dim>{4, 2});
  CHECK(keys() == std::vector<float>{1, 0});
  cache.reorder(std::vector<Dim>{1, 0, 0, 1});
  CHECK(keys() == std::vector<float>{0, 1, 1, 0});
  CHECK(cache.layer(0).keys.shape()[0] == 5 * kCapacity);  // room that is there is used
}

TEST_CASE("what is appended after a reordering comes behind what each sequence has then") {
  KeyValueCache cache({.layers = 1, .sequences = 2, .capacity = kCapacity, .width = kWidth});
  cache.advance(pack_lengths(std::vector<Dim>{3, 1}));
  cache.reorder(std::vector<Dim>{1, 0});
  cache.advance(pack_lengths(std::vector<Dim>{2, 1}));
  CHECK(cache.length(0) == 3);
  CHECK(cache.length(1) == 4);
}
