#include "tensor/kernels/softmax.h"

#include <cmath>

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/softmax.cpp"
#include "tensor/simd.h"
// After simd.h.
#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void softmax(T* y, const T* x, Dim N, Dim C) {
  const Tag<T> d;
  constexpr auto kLowest = -static_cast<Compute<T>>(INFINITY);
  for (Dim n = 0; n < N; ++n) {
    const T* const from = x + n * C;
    T* const to = y + n * C;
    auto highest = Set(d, kLowest);
    for_each_vector(d, C, [&](auto part) HWY_ATTR { highest = Max(highest, part.load(from, kLowest)); });
    const auto top = Set(d, max_of_lanes(d, highest));
    auto sum = Zero(d);
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto e = Exp(d, Sub(part.load(from, kLowest), top));
      sum = Add(sum, e);
      part.store(e, to);
    });
    const auto factor = Set(d, 1 / sum_of_lanes(d, sum));
    for_each_vector(d, C, [&](auto part) HWY_ATTR { part.store(Mul(part.load(to), factor), to); });
  }
}

template <typename T>
void softmax_backward(T* dx, Write write, const T* dy, const T* y, Dim N, Dim C) {
  const Tag<T> d;
  for (Dim n = 0; n < N; ++n) {
    const T *const dy_row = dy + n * C, *const y_row = y + n * C;
    T* const dx_row = dx + n * C;
    auto sum = Zero(d);
    for_each_vector(d, C, [&](auto part) HWY_ATTR { sum = MulAdd(part.load(dy_row), part.load(y_row), sum); });
    const auto mean = Set(d, sum_of_lanes(d, sum));
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      part.write(Mul(part.load(y_row), Sub(part.load(dy_row), mean)), dx_row, write);
    });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(softmax);
RAPT_EXPORT(softmax_backward);

namespace kernels {

template <typename T>
void softmax_forward(T* y, const T* x, Dim N, Dim C) {
  count_elements<T>(2 * N * C);
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, softmax)(y + begin * C, x + begin * C, end - begin, C);
  });
}
RAPT_INSTANTIATE(softmax_forward);

template <typename T>
void softmax_backward(T* dx, Write write, const T* dy, const T* y, Dim N, Dim C) {
  count_elements<T>((2 + touches(write)) * N * C);
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, softmax_backward)(dx + begin * C, write, dy + begin * C, y + begin * C, end - begin, C);
  });
}
RAPT_INSTANTIATE(softmax_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
