#include "tensor/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/random_values.h"
#include "tensor/instruction_set.h"
#include "tensor/kernels/narrow.h"
#include "tensor/matmul_onednn.h"
#include "tensor/matmul_openblas.h"
#include "tensor/parallel.h"
#include "tensor/tensor.h"

using namespace rapt;
using rapt::testing::random_values;

namespace {

struct Sizes {
  Dim M, N, K;
};

// A product whose operands, including C, are parts of wider matrices; C holds `old` around and inside.
template <typename T>
struct Problem {
  Sizes s;
  Transpose op_a, op_b;
  Dim gap;  // columns between the rows
  std::vector<T> a, b, c;

  Problem(Sizes s, Transpose op_a, Transpose op_b, Dim gap = 3)
      : s(s),
        op_a(op_a),
        op_b(op_b),
        gap(gap),
        a(random_values<T>(op_a == Transpose::kYes ? s.K * (s.M + gap) : s.M * (s.K + gap), 1)),
        b(random_values<T>(op_b == Transpose::kYes ? s.N * (s.K + gap) : s.K * (s.N + gap), 2)),
        c(random_values<T>((s.M + 1) * (s.N + gap), 3)) {}

  Matrix<const T> A() const {
    const bool t = op_a == Transpose::kYes;
    return {a.data(), t ? s.K : s.M, t ? s.M : s.K, (t ? s.M : s.K) + gap};
  }
  Matrix<const T> B() const {
    const bool t = op_b == Transpose::kYes;
    return {b.data(), t ? s.N : s.K, t ? s.K : s.N, (t ? s.K : s.N) + gap};
  }
  Matrix<T> C() { return {c.data(), s.M, s.N, s.N + gap}; }

  double exact(Dim m, Dim n) const {
    const Matrix<const T> x = A(), y = B();
    double sum = 0;
    for (Dim k = 0; k < s.K; ++k) {
      sum += static_cast<double>(op_a == Transpose::kYes ? x.data[k * x.stride + m] : x.data[m * x.stride + k]) *
             static_cast<double>(op_b == Transpose::kYes ? y.data[n * y.stride + k] : y.data[k * y.stride + n]);
    }
    return sum;
  }
};

constexpr Transpose kBoth[] = {Transpose::kNo, Transpose::kYes};

// Largest error of the product, and whether the gaps between the rows of C are unchanged.
template <typename T>
double worst_error(Problem<T> p, Write write) {
  const std::vector<T> before = p.c;
  matmul<T>(p.C(), p.A(), p.op_a, p.B(), p.op_b, write);
  double worst = 0;
  for (Dim m = 0; m <= p.s.M; ++m) {
    for (Dim n = 0; n < p.s.N + p.gap; ++n) {
      const auto i = static_cast<std::size_t>(m * (p.s.N + p.gap) + n);
      const bool inside = m < p.s.M && n < p.s.N;
      const double old = !inside || write == Write::kAdd ? static_cast<double>(before[i]) : 0;
      const double right = old + (inside ? p.exact(m, n) : 0);
      worst = std::max(worst, std::abs(static_cast<double>(p.c[i]) - right));
    }
  }
  return worst;
}

template <typename T>
void check_all(Sizes s) {
  for (const Transpose op_a : kBoth) {
    for (const Transpose op_b : kBoth) {
      for (const Write write : {Write::kAssign, Write::kAdd}) {
        CAPTURE(s.M);
        CAPTURE(s.N);
        CAPTURE(s.K);
        CAPTURE(op_a == Transpose::kYes);
        CAPTURE(op_b == Transpose::kYes);
        const double unit = sizeof(T) == 4 ? 2e-7 : 1e-15;
        CHECK(worst_error(Problem<T>(s, op_a, op_b), write) <= unit * static_cast<double>(s.K + 1));
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("products of all kinds and odd sizes are what a plain loop gives", T, float, double) {
  for (const Sizes s : {Sizes{1, 1, 1}, Sizes{5, 7, 3}, Sizes{40, 33, 65}, Sizes{130, 70, 21}, Sizes{33, 17, 700},
                        Sizes{70, 50, 5000}, Sizes{3, 4, 0}}) {
    check_all<T>(s);
  }
}

TEST_CASE("products of few rows agree with a plain loop") {
  for (Dim M = 1; M <= 18; ++M) {
    for (const Dim N : {1, 5, 6, 50}) {
      for (const Dim K : {1, 15, 16, 67, 800}) check_all<float>({M, N, K});
    }
  }
}

TEST_CASE("a tiled product calls its hooks around each tile, first with the old C, then with the product") {
  for (const Sizes s : {Sizes{2, 700, 100}, Sizes{300, 500, 200}, Sizes{60, 90, 9000}}) {
    Problem<float> p(s, Transpose::kNo, Transpose::kYes, 0);
    std::vector<int> visits(p.c.size());
    float* const c = p.c.data();
    const auto before = [&](Dim r0, Dim r1, Dim c0, Dim c1) {
      for (Dim r = r0; r < r1; ++r) {
        for (Dim col = c0; col < c1; ++col) {
          c[r * s.N + col] = 10;
          ++visits[static_cast<std::size_t>(r * s.N + col)];
        }
      }
    };
    const auto after = [&](Dim r0, Dim r1, Dim c0, Dim c1) {
      for (Dim r = r0; r < r1; ++r) {
        for (Dim col = c0; col < c1; ++col) c[r * s.N + col] *= 2;
      }
    };
    matmul<float>(p.C(), p.A(), p.op_a, p.B(), p.op_b, Write::kAdd, before, after);
    double worst = 0;
    for (Dim m = 0; m < s.M; ++m) {
      for (Dim n = 0; n < s.N; ++n) {
        const auto i = static_cast<std::size_t>(m * s.N + n);
        REQUIRE(visits[i] == 1);
        worst = std::max(worst, std::abs(static_cast<double>(p.c[i]) - 2 * (10 + p.exact(m, n))));
      }
    }
    CHECK(worst < 2e-3);
  }
}

TEST_CASE_TEMPLATE("products have the same bits on one thread, two and three", T, float, double) {
  const int threads = thread_count();
  for (const Sizes s :
       {Sizes{1, 2304, 768}, Sizes{16, 300, 400}, Sizes{200, 300, 100}, Sizes{600, 800, 300}, Sizes{64, 96, 20'000}}) {
    for (const Transpose op_a : kBoth) {
      for (const Transpose op_b : kBoth) {
        Problem<T> one(s, op_a, op_b, 0), two = one, three = one;
        set_thread_count(1);
        matmul<T>(one.C(), one.A(), op_a, one.B(), op_b, Write::kAdd);
        set_thread_count(2);
        matmul<T>(two.C(), two.A(), op_a, two.B(), op_b, Write::kAdd);
        set_thread_count(3);
        matmul<T>(three.C(), three.A(), op_a, three.B(), op_b, Write::kAdd);
        CHECK(one.c == two.c);
        CHECK(one.c == three.c);
      }
    }
  }
  set_thread_count(threads);
}

TEST_CASE("a row of a product does not depend on how many rows are multiplied with it, up to sixteen") {
  Problem<float> all({16, 100, 300}, Transpose::kNo, Transpose::kYes, 0);
  matmul<float>(all.C(), all.A(), all.op_a, all.B(), all.op_b, Write::kAssign);
  for (Dim M = 1; M < 16; ++M) {
    std::vector<float> c(static_cast<std::size_t>(M * 100));
    Matrix<const float> a = all.A();
    a.rows = M;
    matmul<float>({c.data(), M, 100}, a, Transpose::kNo, all.B(), Transpose::kYes, Write::kAssign);
    CHECK(std::equal(c.begin(), c.end(), all.c.begin()));
  }
}

TEST_CASE("with SteadyProducts, a row of a product never depends on how many rows are multiplied with it") {
  const SteadyProducts steady;
  for (const Dim K : {3, 64, 257}) {
    Problem<float> all({200, 100, K}, Transpose::kNo, Transpose::kYes, 0);
    matmul<float>(all.C(), all.A(), all.op_a, all.B(), all.op_b, Write::kAssign);
    for (const Dim M : {1, 5, 16, 17, 63, 65, 199}) {
      CAPTURE(M);
      std::vector<float> c(static_cast<std::size_t>(M * 100));
      Matrix<const float> a = all.A();
      a.rows = M;
      matmul<float>({c.data(), M, 100}, a, Transpose::kNo, all.B(), Transpose::kYes, Write::kAssign);
      CHECK(std::equal(c.begin(), c.end(), all.c.begin()));
    }
  }
}

TEST_CASE("matrices that do not match are named") {
  std::vector<float> x(100);
  CHECK_THROWS_WITH_AS(matmul<float>({x.data(), 2, 3}, {x.data(), 2, 4}, Transpose::kNo, {x.data(), 5, 3},
                                     Transpose::kNo, Write::kAssign),
                       "matmul: [2, 4] times [5, 3] cannot give [2, 3]", ShapeError);
}

TEST_CASE(
    "products of bf16 operands are those of the same numbers in f32, with the same bits on any number of threads") {
  const int threads = thread_count();
  for (const Sizes s : {Sizes{1, 50, 67}, Sizes{5, 7, 3}, Sizes{16, 300, 400}, Sizes{130, 70, 21}, Sizes{600, 800, 300},
                        Sizes{64, 96, 20'000}, Sizes{3, 4, 0}, Sizes{1060, 1560, 530}}) {
    for (const Transpose op_a : kBoth) {
      for (const Transpose op_b : kBoth) {
        Problem<float> wide(s, op_a, op_b);
        std::vector<Bf16> a(wide.a.size()), b(wide.b.size());
        kernels::narrow(a.data(), wide.a.data(), static_cast<Dim>(a.size()));
        kernels::narrow(b.data(), wide.b.data(), static_cast<Dim>(b.size()));
        kernels::widen(wide.a.data(), a.data(), static_cast<Dim>(a.size()));
        kernels::widen(wide.b.data(), b.data(), static_cast<Dim>(b.size()));
        const auto A = wide.A(), B = wide.B();
        const Matrix<const Bf16> narrow_a(a.data(), A.rows, A.cols, A.stride),
            narrow_b(b.data(), B.rows, B.cols, B.stride);
        Problem<float> one = wide, three = wide;
        set_thread_count(1);
        matmul<float, Bf16>(one.C(), narrow_a, op_a, narrow_b, op_b, Write::kAdd);
        set_thread_count(3);
        matmul<float, Bf16>(three.C(), narrow_a, op_a, narrow_b, op_b, Write::kAdd);
        CHECK(one.c == three.c);
        matmul<float>(wide.C(), A, op_a, B, op_b, Write::kAdd);
        double worst = 0;
        for (std::size_t i = 0; i < one.c.size(); ++i) {
          worst = std::max(worst, std::abs(static_cast<double>(one.c[i]) - static_cast<double>(wide.c[i])));
        }
        CHECK(worst <= 4e-7 * static_cast<double>(s.K + 1));
      }
    }
  }
  set_thread_count(threads);
}

// With AMX, such a C goes to memory past the caches.
TEST_CASE("the gradient of a large weight from few rows is assigned in full") {
  const int threads = thread_count();
  const Dim M = 800, N = 720, K = 40;
  Problem<float> wide({M, N, K}, Transpose::kYes, Transpose::kNo, 0);
  std::vector<Bf16> a(wide.a.size()), b(wide.b.size());
  kernels::narrow(a.data(), wide.a.data(), K * M);
  kernels::narrow(b.data(), wide.b.data(), K * N);
  kernels::widen(wide.a.data(), a.data(), K * M);
  kernels::widen(wide.b.data(), b.data(), K * N);
  matmul<float>(wide.C(), wide.A(), wide.op_a, wide.B(), wide.op_b, Write::kAssign);
  for (const int count : {1, 3}) {
    CAPTURE(count);
    set_thread_count(count);
    Tensor c = Tensor::full({M, N}, std::numeric_limits<double>::quiet_NaN());
    matmul<float, Bf16>({c.data<float>(), M, N}, {a.data(), K, M}, Transpose::kYes, {b.data(), K, N}, Transpose::kNo,
                        Write::kAssign);
    Dim wrong = 0;
    for (Dim i = 0; i < M * N; ++i) {
      const bool near = std::abs(c.data<float>()[i] - wide.C().data[i]) <= 4e-7F * static_cast<float>(K + 1);
      wrong += near ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
  set_thread_count(threads);
}

TEST_CASE("hooks of bf16 products see every element once, before and after its sum is complete") {
  const Dim M = 300, N = 210, K = 600;
  const std::vector<Bf16> a(static_cast<std::size_t>(M * K), Bf16(0.5F)), b(static_cast<std::size_t>(N * K), Bf16(2));
  std::vector<float> c(static_cast<std::size_t>(M * N), 7);
  const auto each = [&](Dim r0, Dim r1, Dim c0, Dim c1, const auto& f) {
    for (Dim r = r0; r < r1; ++r) {
      for (Dim at = c0; at < c1; ++at) f(c[static_cast<std::size_t>(r * N + at)], static_cast<float>(r + at));
    }
  };
  matmul<float, Bf16>(
      {c.data(), M, N}, {a.data(), M, K}, Transpose::kNo, {b.data(), N, K}, Transpose::kYes, Write::kAdd,
      [&](Dim r0, Dim r1, Dim c0, Dim c1) { each(r0, r1, c0, c1, [](float& x, float bias) { x = bias; }); },
      [&](Dim r0, Dim r1, Dim c0, Dim c1) { each(r0, r1, c0, c1, [](float& x, float bias) { x += 10'000 * bias; }); });
  Dim wrong = 0;
  each(0, M, 0, N, [&](float x, float bias) { wrong += x == static_cast<float>(K) + bias * 10'001 ? 0 : 1; });
  CHECK(wrong == 0);
}

TEST_CASE("a row of a steady bf16 product has the same bits alone and among others") {
  const Dim M = 100, N = 37, K = 65;
  std::vector<Bf16> a(M * K), b(N * K);
  const auto values = random_values<float>(M * K + N * K, 4);
  kernels::narrow(a.data(), values.data(), M * K);
  kernels::narrow(b.data(), values.data() + M * K, N * K);
  std::vector<float> all(M * N), alone(N);
  const SteadyProducts steady;
  matmul<float, Bf16>({all.data(), M, N}, {a.data(), M, K}, Transpose::kNo, {b.data(), N, K}, Transpose::kYes,
                      Write::kAssign);
  for (const Dim row : {0, 17, 99}) {
    matmul<float, Bf16>({alone.data(), 1, N}, {a.data() + row * K, 1, K}, Transpose::kNo, {b.data(), N, K},
                        Transpose::kYes, Write::kAssign);
    CHECK(std::equal(alone.begin(), alone.end(), all.begin() + row * N));
  }
}

template <typename C, typename A, typename B>
concept Multiplies = requires(Matrix<C> c, Matrix<const A> a, Matrix<const B> b) {
  matmul<C, A, B>(c, a, Transpose::kNo, b, Transpose::kNo, Write::kAssign);
};

TEST_CASE("operands of several types do not compile unless a provider supports them") {
  CHECK(Multiplies<float, float, float>);
  CHECK(Multiplies<double, double, double>);
  CHECK(Multiplies<float, Bf16, Bf16>);
  CHECK_FALSE(Multiplies<float, float, Bf16>);
  CHECK_FALSE(Multiplies<double, Bf16, Bf16>);
  CHECK_FALSE(Multiplies<Bf16, Bf16, Bf16>);
  CHECK_FALSE(Multiplies<float, double, float>);
  CHECK_FALSE(Multiplies<float, float, double>);
  CHECK_FALSE(Multiplies<double, float, float>);
  CHECK_FALSE(Multiplies<std::int32_t, std::int32_t, std::int32_t>);
}

TEST_CASE("the provider is the openmp build of OpenBLAS and its products are correct") {
  CHECK_NOTHROW(check_matmul_provider());
  CHECK(matmul_provider().find("OpenBLAS") != std::string::npos);
  CHECK((matmul_provider().find("f32: oneDNN") != std::string::npos) == prefers_onednn<float>());
  if (prefers_onednn<float>()) CHECK(simd_target().starts_with("AVX3"));
}

TEST_CASE("both providers agree with a plain loop, whichever this processor prefers") {
  for (const Sizes s : {Sizes{1, 1, 1}, Sizes{17, 5, 3}, Sizes{64, 48, 130}, Sizes{33, 70, 511}}) {
    for (const Transpose op_a : kBoth) {
      for (const Transpose op_b : kBoth) {
        Problem<float> blas(s, op_a, op_b), dnn = blas;
        openblas_gemm<float>(blas.C(), blas.A(), op_a, blas.B(), op_b, 1, 1);
        onednn_gemm<float>(dnn.C(), dnn.A(), op_a, dnn.B(), op_b, Write::kAdd);
        double worst = 0;
        for (std::size_t i = 0; i < blas.c.size(); ++i) {
          worst = std::max(worst, std::abs(static_cast<double>(blas.c[i]) - static_cast<double>(dnn.c[i])));
        }
        CHECK(worst <= 4e-7 * static_cast<double>(s.K + 1));
      }
    }
  }
}
