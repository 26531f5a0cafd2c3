#include "tensor/kernels/narrow.h"

#include "tensor/parallel.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/narrow.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

void narrow(Bf16* y, const float* x, Dim n) {
  for_each_vector(Tag<float>(), n, [&](auto part) HWY_ATTR { part.store(part.load(x), y); });
}

void widen(float* y, const Bf16* x, Dim n) {
  for_each_vector(Tag<float>(), n, [&](auto part) HWY_ATTR { part.store(part.load(x), y); });
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

HWY_EXPORT(narrow);
HWY_EXPORT(widen);

namespace kernels {

constexpr Dim kBlock = 16384;

void narrow(Bf16* y, const float* x, Dim n) {
  count_elements<float>(n);
  count_elements<Bf16>(n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    HWY_DYNAMIC_DISPATCH(narrow)(y + begin, x + begin, end - begin);
  });
}

void narrow_rows(Bf16* y, const float* x, Dim rows, Dim cols, Dim x_stride) {
  count_elements<float>(rows * cols);
  count_elements<Bf16>(rows * cols);
  parallel_blocks(rows, rows_per_block(cols), [&](Dim begin, Dim end) {
    for (Dim r = begin; r < end; ++r) HWY_DYNAMIC_DISPATCH(narrow)(y + r * cols, x + r * x_stride, cols);
  });
}

void widen(float* y, const Bf16* x, Dim n) {
  count_elements<float>(n);
  count_elements<Bf16>(n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    HWY_DYNAMIC_DISPATCH(widen)(y + begin, x + begin, end - begin);
  });
}

}  // namespace kernels
}  // namespace rapt

#endif
