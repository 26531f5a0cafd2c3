#include "tensor/kernels/elementwise.h"

#include <vector>

#include "tensor/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/elementwise.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void add(T* y, const T* a, const T* b, Dim n) {
  const Tag<T> d;
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.store(Add(part.load(a), part.load(b)), y); });
}
void add_f32(float* y, const float* a, const float* b, Dim n) { add(y, a, b, n); }
void add_f64(double* y, const double* a, const double* b, Dim n) { add(y, a, b, n); }

template <typename T>
void multiply(T* y, const T* a, const T* b, Dim n, Write write) {
  const Tag<T> d;
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(Mul(part.load(a), part.load(b)), y, write); });
}
void multiply_f32(float* y, const float* a, const float* b, Dim n, Write write) { multiply(y, a, b, n, write); }
void multiply_f64(double* y, const double* a, const double* b, Dim n, Write write) { multiply(y, a, b, n, write); }

template <typename T>
void scale(T* y, const T* x, double factor, Dim n, Write write) {
  const Tag<T> d;
  const auto f = Set(d, static_cast<Compute<T>>(factor));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(Mul(f, part.load(x)), y, write); });
}
void scale_f32(float* y, const float* x, double factor, Dim n, Write write) { scale(y, x, factor, n, write); }
void scale_f64(double* y, const double* x, double factor, Dim n, Write write) { scale(y, x, factor, n, write); }

template <typename T>
void spread(T* y, double value, Dim n, Write write) {
  const Tag<T> d;
  const auto v = Set(d, static_cast<Compute<T>>(value));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(v, y, write); });
}
void spread_f32(float* y, double value, Dim n, Write write) { spread(y, value, n, write); }
void spread_f64(double* y, double value, Dim n, Write write) { spread(y, value, n, write); }

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

HWY_EXPORT(add_f32);
HWY_EXPORT(add_f64);
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_f64);
HWY_EXPORT(scale_f32);
HWY_EXPORT(scale_f64);
HWY_EXPORT(spread_f32);
HWY_EXPORT(spread_f64);

namespace kernels {

static constexpr Dim kBlock = 16384;  // elements per piece

template <typename T>
void add(T* y, const T* a, const T* b, Dim n) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, add)(y + begin, a + begin, b + begin, end - begin);
  });
}
template void add(float*, const float*, const float*, Dim);
template void add(double*, const double*, const double*, Dim);

template <typename T>
void multiply(T* y, const T* a, const T* b, Dim n, Write write) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, multiply)(y + begin, a + begin, b + begin, end - begin, write);
  });
}
template void multiply(float*, const float*, const float*, Dim, Write);
template void multiply(double*, const double*, const double*, Dim, Write);

template <typename T>
void scale(T* y, const T* x, double factor, Dim n, Write write) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, scale)(y + begin, x + begin, factor, end - begin, write);
  });
}
template void scale(float*, const float*, double, Dim, Write);
template void scale(double*, const double*, double, Dim, Write);

template <typename T>
void spread(T* y, double value, Dim n, Write write) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, spread)(y + begin, value, end - begin, write);
  });
}
template void spread(float*, double, Dim, Write);
template void spread(double*, double, Dim, Write);

template <typename T>
double sum(const T* x, Dim n) {
  std::vector<double> sums(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    double lanes[4] = {};  // four chains, so that additions do not wait for each other
    Dim i = begin;
    for (; i + 4 <= end; i += 4) {
      for (Dim lane = 0; lane < 4; ++lane) lanes[lane] += static_cast<double>(x[i + lane]);
    }
    for (; i < end; ++i) lanes[0] += static_cast<double>(x[i]);
    sums[static_cast<std::size_t>(begin / kBlock)] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  });
  double total = 0;
  for (const double block : sums) total += block;
  return total;
}
template double sum(const float*, Dim);
template double sum(const double*, Dim);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
