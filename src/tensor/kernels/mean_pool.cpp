#include "tensor/kernels/mean_pool.h"

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/mean_pool.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void mean_rows(T* y, const T* x, Dim rows, Dim C) {
  const Tag<T> d;
  const auto factor = Set(d, 1 / static_cast<Compute<T>>(rows));
  for_each_vector(d, C, [&](auto part) HWY_ATTR {
    auto sum = part.load(x);
    for (Dim n = 1; n < rows; ++n) sum = Add(sum, part.load(x + n * C));
    part.store(Mul(sum, factor), y);
  });
}

template <typename T>
void spread_row(T* dx, Write write, const T* dy, Dim rows, Dim C) {
  const Tag<T> d;
  const auto factor = Set(d, 1 / static_cast<Compute<T>>(rows));
  for (Dim n = 0; n < rows; ++n) {
    for_each_vector(d, C, [&](auto part) HWY_ATTR { part.write(Mul(part.load(dy), factor), dx + n * C, write); });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(mean_rows);
RAPT_EXPORT(spread_row);

namespace kernels {

template <typename T>
void mean_pool_forward(T* y, const T* x, std::span<const std::int32_t> offsets, Dim C) {
  count_elements<T>(offsets.back() * C);
  parallel_for(static_cast<Dim>(offsets.size()) - 1, [&](Dim b) {
    const Dim begin = offsets[static_cast<std::size_t>(b)], end = offsets[static_cast<std::size_t>(b) + 1];
    RAPT_DISPATCH(T, mean_rows)(y + b * C, x + begin * C, end - begin, C);
  });
}
RAPT_INSTANTIATE(mean_pool_forward);

template <typename T>
void mean_pool_backward(T* dx, Write write, const T* dy, std::span<const std::int32_t> offsets, Dim C) {
  count_elements<T>(touches(write) * offsets.back() * C);
  parallel_for(static_cast<Dim>(offsets.size()) - 1, [&](Dim b) {
    const Dim begin = offsets[static_cast<std::size_t>(b)], end = offsets[static_cast<std::size_t>(b) + 1];
    RAPT_DISPATCH(T, spread_row)(dx + begin * C, write, dy + b * C, end - begin, C);
  });
}
RAPT_INSTANTIATE(mean_pool_backward);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
