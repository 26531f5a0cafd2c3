#include "tensor/kernels/rms_norm.h"

#include <cmath>

#include "tensor/kernels/column_sums.h"
#include "tensor/parallel.h"

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
void rms_norm_f32(float* y, float* recip, const float* x, const float* gain, double epsilon, Dim N, Dim C) {
  rms_norm(y, recip, x, gain, epsilon, N, C);
}
void rms_norm_f64(double* y, double* recip, const double* x, const double* gain, double epsilon, Dim N, Dim C) {
  rms_norm(y, recip, x, gain, epsilon, N, C);
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
void rms_norm_backward_f32(float* dx, Write write, float* dgain, const float* dy, const float* x, const float* recip,
                           const float* gain, Dim N, Dim C) {
  rms_norm_backward(dx, write, dgain, dy, x, recip, gain, N, C);
}
void rms_norm_backward_f64(double* dx, Write write, double* dgain, const double* dy, const double* x,
                           const double* recip, const double* gain, Dim N, Dim C) {
  rms_norm_backward(dx, write, dgain, dy, x, recip, gain, N, C);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

HWY_EXPORT(rms_norm_f32);
HWY_EXPORT(rms_norm_f64);
HWY_EXPORT(rms_norm_backward_f32);
HWY_EXPORT(rms_norm_backward_f64);

namespace kernels {

template <typename T>
void rms_norm_forward(T* y, T* recip, const T* x, const T* gain, double epsilon, Dim N, Dim C) {
  parallel_blocks(N, rows_per_block(C), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, rms_norm)(y + begin * C, recip + begin, x + begin * C, gain, epsilon, end - begin, C);
  });
}
template void rms_norm_forward(float*, float*, const float*, const float*, double, Dim, Dim);
template void rms_norm_forward(double*, double*, const double*, const double*, double, Dim, Dim);

template <typename T>
void rms_norm_backward(T* dx, Write write, T* dgain, const T* dy, const T* x, const T* recip, const T* gain, Dim N,
                       Dim C) {
  ColumnSums<T> sums(N, C, 1);
  parallel_blocks(N, sums.rows(), [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, rms_norm_backward)
    (dx + begin * C, write, sums.of_block(begin), dy + begin * C, x + begin * C, recip + begin, gain, end - begin, C);
  });
  sums.add_to(dgain, 0);
}
template void rms_norm_backward(float*, Write, float*, const float*, const float*, const float*, const float*, Dim,
                                Dim);
template void rms_norm_backward(double*, Write, double*, const double*, const double*, const double*, const double*,
                                Dim, Dim);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
