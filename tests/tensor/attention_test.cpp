#include "tensor/kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/attention_reference.h"
#include "support/instruction_sets.h"
#include "support/random_values.h"

namespace rapt {
namespace {

using kernels::AttentionGradients;
using kernels::AttentionProblem;
using testing::offsets_of;
using testing::random_values;

struct TiledCase {
  std::vector<std::int32_t> queries, keys;  // lengths
  Dim heads, D;
  bool causal;
  double dropout = 0;
  double size = 1;  // of the inputs: 1 makes scores of about one, 30 of about a thousand
};

// Largest difference relative to the largest value, and whether all are finite.
template <typename T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
  double worst = 0, largest = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return worst / largest;
}

template <typename T>
void check_tiled_attention(const TiledCase& c, double tolerance) {
  const std::vector<std::int32_t> queries = offsets_of(c.queries), keys = offsets_of(c.keys);
  const Dim N = queries.back(), S = keys.back(), C = c.heads * c.D;
  const auto q = random_values<T>(N * C, 1, c.size), kv = random_values<T>(S * 2 * C, 2, c.size);
  const auto dy = random_values<T>(N * C, 3);
  const AttentionProblem problem{.queries = queries,
                                 .keys = keys,
                                 .heads = c.heads,
                                 .causal = c.causal,
                                 .scale = 1 / std::sqrt(static_cast<double>(c.D)),
                                 .dropout = kernels::DropoutRule(c.dropout, {{7, 8}, 9})};
  const Matrix<const T> Q(q.data(), N, C), K(kv.data(), S, C, 2 * C), V(kv.data() + C, S, C, 2 * C),
      dY(dy.data(), N, C);
  const auto expected = testing::reference_attention<T>(Q, K, V, dY, problem);

  // Sums start from ones if they are added to, from garbage if they are assigned.
  const auto size = [](Dim n) { return static_cast<std::size_t>(n); };
  std::vector<T> y(size(N * C), T(NAN)), lse(size(N * c.heads)), dq(size(N * C), T{1}), dk(size(S * C), T(NAN)),
      dv = dk;
  kernels::attention_forward<T>({y.data(), N, C}, lse.data(), Q, K, V, problem);
  CHECK(difference(y, expected.y) <= tolerance);
  kernels::attention_backward<T>({.dq = {dq.data(), N, C},
                                  .dk = {dk.data(), S, C},
                                  .dv = {dv.data(), S, C},
                                  .write_q = Write::kAdd,
                                  .write_kv = Write::kAssign},
                                 dY, {y.data(), N, C}, lse.data(), Q, K, V, problem);
  for (T& x : dq) x -= T{1};
  const double size_of_one = sizeof(T) == 4 ? 1e-6 : 1e-15;  // the precision lost by adding to 1 and subtracting it
                                                             // again
  const double largest_dq =
      std::abs(static_cast<double>(*std::ranges::max_element(expected.dq, {}, [](T x) { return std::abs(x); })));
  CHECK(difference(dq, expected.dq) <= tolerance * 4 + size_of_one / largest_dq);
  CHECK(difference(dk, expected.dk) <= tolerance * 4);
  CHECK(difference(dv, expected.dv) <= tolerance * 4);

  // Either half of the gradients alone has the same bits.
  std::vector<T> dq_alone(dq.size(), T{1}), dk_alone(dk.size()), dv_alone(dv.size());
  kernels::attention_backward<T>({.dq = {dq_alone.data(), N, C}, .dk = {}, .dv = {}, .write_q = Write::kAdd}, dY,
                                 {y.data(), N, C}, lse.data(), Q, K, V, problem);
  for (T& x : dq_alone) x -= T{1};
  kernels::attention_backward<T>({.dq = {}, .dk = {dk_alone.data(), S, C}, .dv = {dv_alone.data(), S, C}}, dY,
                                 {y.data(), N, C}, lse.data(), Q, K, V, problem);
  CHECK(dq_alone == dq);
  CHECK(dk_alone == dk);
  CHECK(dv_alone == dv);
}

const std::vector<TiledCase> kTiledCases = {
    {{1}, {1}, 1, 1, true},
    {{7, 1, 2}, {7, 1, 2}, 3, 5, true},
    {{64, 64}, {64, 64}, 4, 32, true},
    {{65, 3}, {65, 3}, 2, 64, false},
    {{256}, {256}, 1, 64, true, 0.2},
    {{300, 1, 700}, {300, 1, 700}, 2, 16, true},
    {{1030}, {1030}, 1, 8, false, 0.1},
    {{1300}, {1300}, 1, 33, true, 0.5},
    {{13, 0, 5, 60}, {9, 4, 0, 33}, 12, 32, false},
    {{5, 70, 1}, {40, 600, 900}, 2, 80, true},
    {{9, 600}, {3, 520}, 1, 130, true, 0.25},
    {{3, 20}, {4096, 2}, 1, 12, false, 0.1},
};

TEST_CASE("tiled attention equals attention by definition, in f64") {
  for (const TiledCase& c : kTiledCases) {
    CAPTURE(c.queries[0]);
    CAPTURE(c.D);
    check_tiled_attention<double>(c, 1e-12);
  }
}

TEST_CASE("tiled attention equals attention by definition, in f32") {
  for (const TiledCase& c : kTiledCases) {
    CAPTURE(c.queries[0]);
    CAPTURE(c.D);
    check_tiled_attention<float>(c, 2e-5);
  }
}

TEST_CASE("every instruction set computes the same attention") {
  testing::for_each_instruction_set([] {
    for (const TiledCase& c :
         {TiledCase{{7, 1, 2}, {7, 1, 2}, 3, 5, true}, TiledCase{{65, 3}, {65, 3}, 2, 64, false, 0.3},
          TiledCase{{13, 0, 300}, {9, 4, 310}, 2, 33, true, 0.1}}) {
      CAPTURE(c.D);
      check_tiled_attention<double>(c, 1e-12);
      check_tiled_attention<float>(c, 2e-5);
    }
  });
}

TEST_CASE("scores of ten thousand stay finite") {
  for (const bool causal : {false, true}) {
    check_tiled_attention<double>({{40, 700}, {40, 700}, 2, 16, causal, 0, 100}, 1e-10);
    const std::vector<std::int32_t> offsets{0, 700};
    const auto qkv = random_values<float>(700 * 48, 4, 100);
    const AttentionProblem problem{.queries = offsets, .keys = offsets, .causal = causal, .scale = 1};
    const Matrix<const float> q(qkv.data(), 700, 16, 48), k(qkv.data() + 16, 700, 16, 48),
        v(qkv.data() + 32, 700, 16, 48);
    std::vector<float> y(700 * 16), lse(700), d(700 * 48);
    kernels::attention_forward<float>({y.data(), 700, 16}, lse.data(), q, k, v, problem);
    const Matrix<const float> Y(y.data(), 700, 16);
    kernels::attention_backward<float>(
        {.dq = {d.data(), 700, 16, 48}, .dk = {d.data() + 16, 700, 16, 48}, .dv = {d.data() + 32, 700, 16, 48}}, Y, Y,
        lse.data(), q, k, v, problem);
    CHECK(std::ranges::all_of(y, [](float x) { return std::isfinite(x); }));
    CHECK(std::ranges::all_of(d, [](float x) { return std::isfinite(x); }));
  }
}

TEST_CASE("dropout keeps the share it should and is a function of row, head and key") {
  // All scores are zero, and value e is one only in column e: y shows each probability.
  const Dim T = 96, D = 96;
  const std::vector<std::int32_t> offsets{0, 96};
  std::vector<float> q(96 * 96), v(96 * 96), y(96 * 96);
  for (std::size_t i = 0; i < 96; ++i) v[i * 96 + i] = 1;
  const AttentionProblem problem{
      .queries = offsets, .keys = offsets, .scale = 1, .dropout = kernels::DropoutRule(0.25, {{1, 2}, 1000})};
  kernels::attention_forward<float>({y.data(), T, D}, nullptr, {q.data(), T, D}, {q.data(), T, D}, {v.data(), T, D},
                                    problem);
  int dropped = 0;
  for (Dim i = 0; i < T; ++i) {
    for (Dim j = 0; j < T; ++j) {
      const bool is_dropped = testing::is_dropped(problem, i, 0, j);
      dropped += is_dropped;
      CHECK(y[static_cast<std::size_t>(i * D + j)] == doctest::Approx(is_dropped ? 0 : 1 / 96.0 / 0.75));
    }
  }
  CHECK(dropped == doctest::Approx(96 * 96 * 0.25).epsilon(0.05));
}

}  // namespace
}  // namespace rapt
