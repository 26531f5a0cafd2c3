#include "tensor/kernels/skinny_matmul.h"

#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/skinny_matmul.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// Rows of A and of B whose products are accumulated at a time: as many sums as fit into the registers, 16 or 32 of
// them.
constexpr int kRowsOfA = 4;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
constexpr int kRowsOfB = 3;
#else
constexpr int kRowsOfB = 6;
#endif

// f(0), f(1) ... f(kCount - 1) with constant arguments, so that arrays of vectors stay in registers.
template <int kCount, int kFirst = 0, typename F>
HWY_INLINE void repeat(F&& f) {
  if constexpr (kFirst < kCount) {
    f(std::integral_constant<int, kFirst>());
    repeat<kCount, kFirst + 1>(f);
  }
}

// Prefetch distance where B is read as one stream, in elements: a page. Twice as much is slower again.
template <typename T>
constexpr Dim kAhead = 4096 / sizeof(T);

// The products of kM rows of A with kR rows of B. Only B is read from memory. With kPrefetch, the data that follows is
// prefetched: with a single row of B, the stream of its rows; otherwise the next kR rows.
template <int kM, int kR, bool kPrefetch, typename T>
HWY_INLINE void dots(float* c, Dim c_stride, const T* a, Dim a_stride, const T* b, Dim b_stride, Dim K, Write write) {
  const Tag<float> d;
  Vec<Tag<float>> sums[kM * kR];
  repeat<kM * kR>([&](auto i) HWY_ATTR { sums[i] = Zero(d); });
  for_each_vector(d, K, [&](auto part) HWY_ATTR {
    Vec<Tag<float>> weights[kR];
    repeat<kR>([&](auto r) HWY_ATTR {
      weights[r] = part.load(b + r * b_stride);
      if constexpr (kPrefetch) {
        __builtin_prefetch(kR == 1 ? b + part.at + kAhead<T> : b + (r + kR) * b_stride + part.at, 0, 2);
      }
    });
    repeat<kM>([&](auto m) HWY_ATTR {
      const auto x = part.load(a + m * a_stride);
      repeat<kR>([&](auto r) HWY_ATTR { sums[m * kR + r] = MulAdd(x, weights[r], sums[m * kR + r]); });
    });
  });
  repeat<kM * kR>([&](auto i) HWY_ATTR {
    float& to = c[i / kR * c_stride + i % kR];
    to = sum_of_lanes(d, sums[i]) + (write == Write::kAdd ? to : 0.0f);
  });
}

// All rows of A with kR rows of B, which stay in the cache from the first row of A to the last.
template <int kR, typename T>
void all_rows(Matrix<float> c, Matrix<const T> a, const T* b, Dim b_stride, Write write) {
  const auto take = [&](Dim m, auto rows, auto prefetch) HWY_ATTR {
    dots<rows, kR, prefetch>(c.data + m * c.stride, c.stride, a.data + m * a.stride, a.stride, b, b_stride, a.cols,
                             write);
  };
  using std::integral_constant;
  // The first pass over the rows of B is the one that waits for memory.
  const Dim first = a.rows % kRowsOfA == 0 ? kRowsOfA : a.rows % kRowsOfA;
  switch (first) {
    case 1:
      take(0, integral_constant<int, 1>(), std::true_type());
      break;
    case 2:
      take(0, integral_constant<int, 2>(), std::true_type());
      break;
    case 3:
      take(0, integral_constant<int, 3>(), std::true_type());
      break;
    default:
      take(0, integral_constant<int, kRowsOfA>(), std::true_type());
      break;
  }
  for (Dim m = first; m < a.rows; m += kRowsOfA) take(m, integral_constant<int, kRowsOfA>(), std::false_type());
}

template <typename T>
void skinny(Matrix<float> c, Matrix<const T> a, Matrix<const T> b, Write write) {
  Dim n = 0;
  // With so little to compute, memory bandwidth is the limit, and a single stream is fastest: one row of B at a time.
  if (a.rows <= kRowsOfA) {
    for (; n < b.rows; ++n) all_rows<1>({c.data + n, c.rows, 1, c.stride}, a, b.data + n * b.stride, b.stride, write);
    return;
  }
  for (; n + kRowsOfB <= b.rows; n += kRowsOfB) {
    all_rows<kRowsOfB>({c.data + n, c.rows, kRowsOfB, c.stride}, a, b.data + n * b.stride, b.stride, write);
  }
  for (; n < b.rows; ++n) all_rows<1>({c.data + n, c.rows, 1, c.stride}, a, b.data + n * b.stride, b.stride, write);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

RAPT_EXPORT(skinny);

namespace kernels {

template <typename T>
void skinny_matmul(Matrix<float> c, Matrix<const T> a, Matrix<const T> b, Write write) {
  RAPT_DISPATCH(T, skinny)(c, a, b, write);
}
template void skinny_matmul(Matrix<float>, Matrix<const float>, Matrix<const float>, Write);
template void skinny_matmul(Matrix<float>, Matrix<const Bf16>, Matrix<const Bf16>, Write);

}  // namespace kernels
}  // namespace rapt

#endif
