#include "tensor/kernels/column_sums.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/column_sums.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename T>
void add_rows(T* sums, Write write, const T* x, Dim rows, Dim C, Dim stride) {
  const Tag<T> d;
  for (Dim row = 0; row < rows; ++row) {
    const Write how = row == 0 ? write : Write::kAdd;
    for_each_vector(d, C, [&](auto part) HWY_ATTR { part.write(part.load(x + row * stride), sums, how); });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(add_rows);

namespace kernels {

template <typename T>
void add_rows(T* sums, Write write, const T* x, Dim rows, Dim C, Dim stride) {
  RAPT_DISPATCH(T, add_rows)(sums, write, x, rows, C, stride);
}
RAPT_INSTANTIATE(add_rows);

template <typename T>
void column_sums(T* sums, Write write, const T* x, Dim N, Dim C) {
  count_elements<T>(N * C);
  sum_in_pieces<T>(sums, write, N, C, [&](T* to, Dim r0, Dim r1, Dim c0, Dim c1) {
    add_rows<T>(to, Write::kAssign, x + r0 * C + c0, r1 - r0, c1 - c0, C);
  });
}
RAPT_INSTANTIATE(column_sums);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
