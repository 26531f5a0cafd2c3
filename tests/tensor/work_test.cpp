#include "tensor/work.h"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/layer_norm.h"
#include "tensor/matmul.h"
#include "tensor/parallel.h"

using namespace rapt;

namespace {

Work work_of(const std::function<void()>& f) {
  const Work before = work_done();
  f();
  const Work after = work_done();
  return {after.flop - before.flop, after.bytes - before.bytes};
}

}  // namespace

TEST_CASE("a product counts a multiplication and an addition for each term of its sums, in one row or many") {
  for (const Dim M : {1, 3, 700}) {
    CAPTURE(M);
    std::vector<float> a(static_cast<std::size_t>(M) * 5), b(5 * 4), c(static_cast<std::size_t>(M) * 4);
    const Work work = work_of([&] {
      matmul<float>({c.data(), M, 4}, {a.data(), M, 5}, Transpose::kNo, {b.data(), 4, 5}, Transpose::kYes,
                    Write::kAssign);
    });
    CHECK(work.flop == 2.0 * static_cast<double>(M) * 4 * 5);
    CHECK(work.bytes == 0);
  }
}

TEST_CASE("kernels without products count each element that they read or write") {
  std::vector<double> x(100), y(100);
  CHECK(work_of([&] { kernels::add(y.data(), x.data(), x.data(), 100); }).bytes == 100 * 3 * sizeof(double));
  CHECK(work_of([&] { kernels::scale(y.data(), x.data(), 2, 100, Write::kAssign); }).bytes == 100 * 2 * sizeof(double));
  CHECK(work_of([&] { kernels::scale(y.data(), x.data(), 2, 100, Write::kAdd); }).bytes == 100 * 3 * sizeof(double));
}

TEST_CASE("work of a kernel that calls another one is counted once, on any number of threads") {
  const Dim N = 5000, C = 16;
  std::vector<float> x(N * C), y(N * C), sum(N * C), gain(C), mean(N), recip(N);
  const kernels::LayerNormShape<float> shape{gain.data(), nullptr, mean.data(), recip.data(), N, C};
  const int before = thread_count();
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    const Work work = work_of(
        [&] { kernels::add_layer_norm_forward(y.data(), sum.data(), x.data(), x.data(), nullptr, shape, 1e-5); });
    CHECK(work.bytes == static_cast<double>(N * C * 4) * sizeof(float));
  }
  set_thread_count(before);
}

TEST_CASE("attention counts the pairs that see each other, two products of them forward and five backward") {
  const std::vector<std::int32_t> offsets = {0, 3, 8};
  const Dim N = 8, C = 6, H = 2;
  std::vector<float> qkv(N * 3 * C), y(N * C), lse(N * H), d(N * 3 * C);
  const auto column = [&](std::vector<float>& from, Dim at) { return Matrix<float>(from.data() + at, N, C, 3 * C); };
  for (const bool causal : {false, true}) {
    CAPTURE(causal);
    const kernels::AttentionProblem problem{.queries = offsets, .keys = offsets, .heads = H, .causal = causal};
    const double pairs = causal ? 6 + 15 : 9 + 25;
    CHECK(work_of([&] {
            kernels::attention_forward<float>({y.data(), N, C}, lse.data(), column(qkv, 0), column(qkv, C),
                                              column(qkv, 2 * C), problem);
          }).flop == 4 * C * pairs);
    CHECK(work_of([&] {
            kernels::attention_backward<float>({column(d, 0), column(d, C), column(d, 2 * C)}, {y.data(), N, C},
                                               {y.data(), N, C}, lse.data(), column(qkv, 0), column(qkv, C),
                                               column(qkv, 2 * C), problem);
          }).flop == 10 * C * pairs);
  }
}
