#include "tensor/kernels/column_sums.h"
#include "tensor/work.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/column_sums.cpp"
#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

template <typename X>
void add_rows(Compute<X>* sums, Write write, Matrix<const X> x) {
  const Tag<X> d;
  for (Dim row = 0; row < x.rows; ++row) {
    const Write how = row == 0 ? write : Write::kAdd;
    for_each_vector(d, x.cols, [&](auto part) HWY_ATTR { part.write(part.load(x.data + row * x.stride), sums, how); });
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rapt {

RAPT_EXPORT(add_rows);

namespace kernels {

template <typename X>
void add_rows(Compute<X>* sums, Write write, Matrix<const X> x) {
  RAPT_DISPATCH(X, add_rows)(sums, write, x);
}
RAPT_INSTANTIATE(add_rows);
template void add_rows(float*, Write, Matrix<const Bf16>);

template <typename X>
void column_sums(Compute<X>* sums, Write write, Matrix<const X> x) {
  count_elements<X>(x.rows * x.cols);
  sum_in_pieces<Compute<X>>(sums, write, x.rows, x.cols, [&](Compute<X>* to, Dim r0, Dim r1, Dim c0, Dim c1) {
    add_rows<X>(to, Write::kAssign, {x.data + r0 * x.stride + c0, r1 - r0, c1 - c0, x.stride});
  });
}
RAPT_INSTANTIATE(column_sums);
template void column_sums(float*, Write, Matrix<const Bf16>);

}  // namespace kernels
}  // namespace rapt
#endif  // HWY_ONCE
