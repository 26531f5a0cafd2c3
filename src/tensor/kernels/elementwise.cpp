#include "tensor/kernels/elementwise.h"

#include <vector>

#include "tensor/parallel.h"
#include "tensor/work.h"

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

template <typename T>
void multiply(T* y, const T* a, const T* b, Dim n, Write write) {
  const Tag<T> d;
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(Mul(part.load(a), part.load(b)), y, write); });
}

template <typename T>
void scale(T* y, const T* x, double factor, Dim n, Write write) {
  const Tag<T> d;
  const auto f = Set(d, static_cast<Compute<T>>(factor));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(Mul(f, part.load(x)), y, write); });
}

template <typename T>
void spread(T* y, double value, Dim n, Write write) {
  const Tag<T> d;
  const auto v = Set(d, static_cast<Compute<T>>(value));
  for_each_vector(d, n, [&](auto part) HWY_ATTR { part.write(v, y, write); });
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(add);
RAPT_EXPORT(multiply);
RAPT_EXPORT(scale);
RAPT_EXPORT(spread);

namespace kernels {

static constexpr Dim kBlock = 16384;  // elements per piece

template <typename T>
void add(T* y, const T* a, const T* b, Dim n) {
  count_elements<T>(3 * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, add)(y + begin, a + begin, b + begin, end - begin);
  });
}
RAPT_INSTANTIATE(add);

template <typename T>
void multiply(T* y, const T* a, const T* b, Dim n, Write write) {
  count_elements<T>((2 + touches(write)) * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, multiply)(y + begin, a + begin, b + begin, end - begin, write);
  });
}
RAPT_INSTANTIATE(multiply);

template <typename T>
void scale(T* y, const T* x, double factor, Dim n, Write write) {
  count_elements<T>((1 + touches(write)) * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, scale)(y + begin, x + begin, factor, end - begin, write);
  });
}
RAPT_INSTANTIATE(scale);

template <typename T>
void spread(T* y, double value, Dim n, Write write) {
  count_elements<T>(touches(write) * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, spread)(y + begin, value, end - begin, write);
  });
}
RAPT_INSTANTIATE(spread);

template <typename T>
double sum(const T* x, Dim n) {
  count_elements<T>(n);
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
RAPT_INSTANTIATE(sum);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
