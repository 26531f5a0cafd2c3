#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "support/attention_reference.h"
#include "support/instruction_sets.h"
#include "support/random_values.h"
#include "support/thread_counts.h"
#include "tensor/kernels/attention.h"

namespace rapt {
namespace {

using kernels::AttentionCache;
using kernels::AttentionProblem;
using testing::offsets_of;
using testing::random_values;

struct CachedCase {
  std::vector<std::int32_t> queries, keys;  // new rows and cached positions of each sequence
  Dim heads, D;
  bool causal = true;
};

const std::vector<CachedCase> kCachedCases = {
    {{1}, {1}, 1, 1},
    {{1, 1, 1}, {5, 130, 17}, 3, 7},
    {{2, 1, 4}, {9, 600, 4}, 4, 32},
    {{1}, {1000}, 12, 64},
    {{5, 1, 70}, {300, 8, 70}, 2, 20},
    {{3, 1}, {50, 0}, 2, 16, false},
    {{1, 1, 1, 1, 1, 1, 1, 1, 1}, {3, 4, 5, 6, 7, 8, 9, 10, 11}, 5, 33},
};

template <typename T>
std::vector<T> attend(const CachedCase& c, const std::vector<T>& q, const std::vector<T>& kv) {
  const std::vector<std::int32_t> queries = offsets_of(c.queries), keys = offsets_of(c.keys);
  const Dim N = queries.back(), C = c.heads * c.D;
  std::vector<AttentionCache<T>> caches;
  for (std::size_t b = 0; b < c.keys.size(); ++b) {
    const T* const first = kv.data() + keys[b] * 2 * C;
    caches.push_back({.keys = first, .values = first + C, .count = c.keys[b]});
  }
  std::vector<T> y(q.size(), T(NAN));
  kernels::attention_cached<T>({y.data(), N, C}, {q.data(), N, C}, queries, caches, 2 * C, c.heads,
                               1 / std::sqrt(static_cast<double>(c.D)), c.causal);
  return y;
}

template <typename T>
void check_cached_attention(double tolerance) {
  for (const CachedCase& c : kCachedCases) {
    CAPTURE(c.queries[0]);
    CAPTURE(c.keys[0]);
    CAPTURE(c.D);
    const std::vector<std::int32_t> queries = offsets_of(c.queries), keys = offsets_of(c.keys);
    const Dim N = queries.back(), S = keys.back(), C = c.heads * c.D;
    const auto q = random_values<T>(N * C, 1), kv = random_values<T>(S * 2 * C, 2);
    const AttentionProblem problem{.queries = queries,
                                   .keys = keys,
                                   .heads = c.heads,
                                   .causal = c.causal,
                                   .scale = 1 / std::sqrt(static_cast<double>(c.D))};
    const Matrix<const T> Q(q.data(), N, C);
    const auto expected =
        testing::reference_attention<T>(Q, {kv.data(), S, C, 2 * C}, {kv.data() + C, S, C, 2 * C}, Q, problem);
    const std::vector<T> y = attend(c, q, kv);
    double worst = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double difference = std::abs(static_cast<double>(y[i]) - static_cast<double>(expected.y[i]));
      worst = std::isfinite(difference) ? std::max(worst, difference) : INFINITY;
    }
    CHECK(worst <= tolerance);
  }
}

TEST_CASE("attention to a cache equals attention by definition") {
  testing::for_each_instruction_set([] {
    check_cached_attention<double>(1e-14);
    check_cached_attention<float>(2e-6);
  });
}

TEST_CASE("decoding token by token gives the same as the whole sequence") {
  const Dim T = 40, H = 2, D = 24, C = H * D;
  const std::vector<std::int32_t> whole{0, 40}, one{0, 1};
  const auto q = random_values<double>(T * C, 1), k = random_values<double>(T * C, 2),
             v = random_values<double>(T * C, 3);
  std::vector<double> together(q.size()), single(q.size());
  kernels::attention_forward<double>({together.data(), T, C}, nullptr, {q.data(), T, C}, {k.data(), T, C},
                                     {v.data(), T, C},
                                     {.queries = whole, .keys = whole, .heads = H, .causal = true, .scale = 0.2});
  for (Dim i = 0; i < T; ++i) {
    const AttentionCache<double> cache{.keys = k.data(), .values = v.data(), .count = i + 1};
    kernels::attention_cached<double>({single.data() + i * C, 1, C}, {q.data() + i * C, 1, C}, one, {&cache, 1}, C, H,
                                      0.2);
  }
  for (std::size_t i = 0; i < q.size(); ++i) CHECK(single[i] == doctest::Approx(together[i]).epsilon(1e-13));
}

TEST_CASE("a sequence's row has the same bits alone, in a batch and on more threads") {
  for (const CachedCase& c : kCachedCases) {
    const Dim C = c.heads * c.D;
    const auto q = random_values<float>(offsets_of(c.queries).back() * C, 1);
    const auto kv = random_values<float>(offsets_of(c.keys).back() * 2 * C, 2);
    const auto y = testing::on_threads(1, [&] { return attend(c, q, kv); });
    CHECK(testing::on_threads(2, [&] { return attend(c, q, kv); }) == y);
    const CachedCase first{{c.queries[0]}, {c.keys[0]}, c.heads, c.D, c.causal};
    const std::vector<float> first_q(q.begin(), q.begin() + c.queries[0] * C);
    const auto alone = attend(first, first_q, kv);
    CHECK(std::equal(alone.begin(), alone.end(), y.begin()));
  }
}

TEST_CASE("keys and values in any rows give the same bits as in consecutive ones") {
  for (const CachedCase& c : kCachedCases) {
    CAPTURE(c.keys[0]);
    const Dim C = c.heads * c.D;
    const std::vector<std::int32_t> queries = offsets_of(c.queries), keys = offsets_of(c.keys);
    const auto q = random_values<float>(queries.back() * C, 1);
    const auto kv = random_values<float>(keys.back() * 2 * C, 2);
    std::vector<float> turned(kv.size());  // the last row first
    for (Dim row = 0; row < keys.back(); ++row) {
      std::copy_n(kv.begin() + row * 2 * C, 2 * C, turned.begin() + (keys.back() - 1 - row) * 2 * C);
    }
    std::vector<std::vector<std::int32_t>> rows;
    std::vector<AttentionCache<float>> caches;
    for (std::size_t b = 0; b < c.keys.size(); ++b) {
      auto& list = rows.emplace_back();
      for (std::int32_t j = 0; j < c.keys[b]; ++j) list.push_back(keys.back() - 1 - keys[b] - j);
      caches.push_back({.keys = turned.data(), .values = turned.data() + C, .count = c.keys[b], .rows = list});
    }
    for (std::size_t b = 0; b < rows.size(); ++b) caches[b].rows = rows[b];
    std::vector<float> y(q.size(), NAN);
    kernels::attention_cached<float>({y.data(), queries.back(), C}, {q.data(), queries.back(), C}, queries, caches,
                                     2 * C, c.heads, 1 / std::sqrt(static_cast<double>(c.D)), c.causal);
    CHECK(y == attend(c, q, kv));
  }
}

TEST_CASE("the weights are the last row's probabilities, averaged over the heads") {
  for (const std::int32_t T : {1, 6}) {  // a few rows, and a tile
    const Dim S = 7, H = 2, D = 3, C = H * D;
    const std::vector<std::int32_t> queries{0, T};
    const auto q = random_values<double>(T * C, 1), k = random_values<double>(S * C, 2);
    // With the unit vectors as values, an output is a probability.
    std::vector<double> weights(static_cast<std::size_t>(S)), expected(weights.size()),
        y(static_cast<std::size_t>(T * C));
    for (Dim key = 0; key < S; ++key) {
      std::vector<double> v(static_cast<std::size_t>(S * C));
      for (Dim c = 0; c < C; ++c) v[static_cast<std::size_t>(key * C + c)] = 1;
      const AttentionCache<double> cache{.keys = k.data(), .values = v.data(), .count = S, .weights = weights.data()};
      kernels::attention_cached<double>({y.data(), T, C}, {q.data(), T, C}, queries, {&cache, 1}, C, H, 0.2, false);
      const auto last = static_cast<std::size_t>((T - 1) * C);
      expected[static_cast<std::size_t>(key)] = (y[last] + y[last + static_cast<std::size_t>(D)]) / 2;
    }
    for (std::size_t j = 0; j < weights.size(); ++j) CHECK(weights[j] == doctest::Approx(expected[j]).epsilon(1e-12));
  }
}

}  // namespace
}  // namespace rapt
