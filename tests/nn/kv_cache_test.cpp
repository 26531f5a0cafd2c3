#include "nn/kv_cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace rapt;

namespace {

constexpr Dim kLayers = 2, kWidth = 3;

// A cache with texts that it should hold. A token is a number; its keys and values follow from it.
template <typename T>
struct Checked {
  KeyValueCache cache;
  std::vector<std::vector<int>> texts;
  int next = 1;

  explicit Checked(std::size_t sequences)
      : cache({.layers = kLayers, .sequences = static_cast<Dim>(sequences), .width = kWidth, .dtype = dtype_of<T>}),
        texts(sequences) {}

  void extend(const std::vector<Dim>& lengths) {
    const Packed layout = pack_lengths(lengths);
    std::vector<int> tokens;
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      for (Dim i = 0; i < lengths[b]; ++i) {
        tokens.push_back(next);
        texts[b].push_back(next++);
      }
    }
    cache.extend(layout);
    for (std::size_t l = 0; l < kLayers; ++l) {
      Tensor qkv = Tensor::empty({static_cast<Dim>(tokens.size()), 3 * kWidth}, dtype_of<T>);
      for (std::size_t n = 0; n < tokens.size(); ++n) {
        for (Dim c = 0; c < 3 * kWidth; ++c) {
          qkv.data<T>()[static_cast<Dim>(n) * 3 * kWidth + c] = element(l, tokens[n], c);
        }
      }
      cache.layer(l).write_new(qkv);
    }
    check();
  }
  void reorder(const std::vector<Dim>& from) {
    std::vector<std::vector<int>> moved;
    for (const Dim b : from) moved.push_back(texts[static_cast<std::size_t>(b)]);
    texts = moved;
    cache.reorder(from);
    check();
  }
  void check() {
    REQUIRE(cache.sequences() == static_cast<Dim>(texts.size()));
    for (std::size_t b = 0; b < texts.size(); ++b) {
      const auto rows = cache.rows(static_cast<Dim>(b));
      REQUIRE(rows.size() == texts[b].size());
      for (std::size_t l = 0; l < kLayers; ++l) {
        for (std::size_t t = 0; t < rows.size(); ++t) {
          for (Dim c = 0; c < kWidth; ++c) {
            CHECK(cache.layer(l).keys.data<T>()[rows[t] * kWidth + c] == element(l, texts[b][t], kWidth + c));
            CHECK(cache.layer(l).values.data<T>()[rows[t] * kWidth + c] == element(l, texts[b][t], 2 * kWidth + c));
          }
        }
      }
    }
  }
  static T element(std::size_t layer, int token, Dim column) {
    return static_cast<T>(token * 100 + static_cast<int>(layer) * 10 + static_cast<int>(column));
  }
};

template <typename T>
void check_orders() {
  const std::vector<std::vector<Dim>> orders = {
      {0, 1, 2, 3},     // as they are
      {1, 0, 3, 2},     // swapped
      {1, 1, 1, 1},     // one for all
      {3, 0},           // fewer
      {1, 3, 0, 1, 2},  // more
      {},               // none
  };
  for (const std::vector<Dim>& from : orders) {
    CAPTURE(from.size());
    Checked<T> c(4);
    c.extend({2, 4, 0, 1});
    c.reorder(from);
    c.extend(std::vector<Dim>(from.size(), 2));  // sequences that were one before go on separately
  }
}

}  // namespace

TEST_CASE("reordered sequences have the keys and values of those they come from, and continue separately") {
  check_orders<float>();
  check_orders<double>();
}

TEST_CASE("rows of dropped sequences are used again: the cache grows with what it holds, not with time") {
  Checked<float> c(4);
  c.extend({3, 1, 2, 5});
  Dim most = 0;
  for (int step = 0; step < 300; ++step) {
    c.reorder({1, 1, 3, 0});
    c.extend({1, 1, 1, 1});
    if (step % 5 == 4) {
      c.cache.clear(step % 4);
      c.texts[static_cast<std::size_t>(step % 4)].clear();
      c.check();
    }
    most = std::max(most, c.cache.layer(0).keys.shape()[0]);
  }
  CHECK(most < 600);  // of the 1,211 tokens in all
}
