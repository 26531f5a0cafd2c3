#include "tensor/kernels/rms_norm.h"

#include <cmath>

#include "tensor/kernels/column_sums.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/rms_norm.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void rms_norm(T* y, T* recip, const T* x, const T* gain, double epsilon, Dim N, Dim C) {
  const Tag<T> d;
  for (Dim n = 0; n < N; ++n) {
    const T* const from = x + n * C;
    T* const to = y + n * C;
    auto squares = Zero(d);
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto v = part.load(from);
      squares = MulAdd(v, v, squares);
    });
    const double mean = static_cast<double>(sum_of_lanes(d, squares)) / static_cast<double>(C);
    recip[n] = static_cast<T>(1 / sqrt(mean + epsilon));
    const auto factor = Set(d, recip[n]);
    for_each_vector(d, C,
                    [&](auto part) HWY_ATTR { part.store(Mul(Mul(part.load(from), factor), part.load(gain)), to); });
  }
}

// dgain is assigned: it is the share of these rows.
template <typename T>
void rms_norm_backward(T* dx, Write write, T* dgain, const T* dy, const T* x, const T* recip, const T* gain, Dim N,
                       Dim C) {
  const Tag<T> d;
  for_each_vector(d, C, [&](auto part) HWY_ATTR { part.store(Zero(d), dgain); });
  for (Dim n = 0; n < N; ++n) {
    const T *const dy_row = dy + n * C, *const x_row = x + n * C;
    T* const dx_row = dx + n * C;
    const auto factor = Set(d, recip[n]);
    auto gz_sum = Zero(d);
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto g = Mul(part.load(dy_row), part.load(gain));
      gz_sum = MulAdd(g, Mul(part.load(x_row), factor), gz_sum);
    });
    const auto gz_mean = Set(d, sum_of_lanes(d, gz_sum) / static_cast<T>(C));
    for_each_vector(d, C, [&](auto part) HWY_ATTR {
      const auto dy_part = part.load(dy_row);
      const auto z = Mul(part.load(x_row), factor);
      part.store(MulAdd(dy_part, z, part.load(dgain)), dgain);
      part.write(Mul(NegMulAdd(z, gz_mean, Mul(dy_part, part.load(gain))), factor), dx_row, write);
    });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(rms_norm);
RAPT_EXPORT(rms_norm_backward);

namespace kernels {

template <typename T>
void rms_norm_forward(T* y, T* recip, const T* x, const T* gain, double epsilon, Dim N, Dim C) {
  count_elements<T>(2 * N * C);
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, rms_norm)(y + begin * C, recip + begin, x + begin * C, gain, epsilon, end - begin, C);
  });
}
RAPT_INSTANTIATE(rms_norm_forward);

template <typename T>
void rms_norm_backward(T* dx, Write write, T* dgain, const T* dy, const T* x, const T* recip, const T* gain, Dim N,
                       Dim C) {
  count_elements<T>((2 + touches(write)) * N * C);
  ColumnSums<T> sums(N, C, 1, rows_of_few_blocks(N, C));
  parallel_blocks(N, sums.rows(), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, rms_norm_backward)
    (dx + begin * C, write, sums.of_block(begin), dy + begin * C, x + begin * C, recip + begin, gain, end - begin, C);
  });
  sums.add_to(dgain, Write::kAdd, 0);
}
RAPT_INSTANTIATE(rms_norm_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
