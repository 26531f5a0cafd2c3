#include "tensor/kernels/low_rank.h"

#include "tensor/kernels/elementwise.h"

namespace rapt::kernels {

template <typename T, typename Operand>
void low_rank_inner_forward(T* u, const Operand* x, const Operand* A, double scale, Dim N, Dim in, Dim R) {
  matmul<T, Operand>({u, N, R}, {x, N, in}, Transpose::kNo, {A, R, in}, Transpose::kYes, Write::kAssign);
  kernels::scale<T>(u, u, scale, N * R, Write::kAssign);
}

template <typename T, typename Operand>
void low_rank_inner_backward(T* g, Matrix<const Operand> dy, const Operand* B, double scale, Dim R) {
  matmul<T, Operand>({g, dy.rows, R}, dy, Transpose::kNo, {B, dy.cols, R}, Transpose::kNo, Write::kAssign);
  kernels::scale<T>(g, g, scale, dy.rows * R, Write::kAssign);
}

template <typename T, typename Operand>
void low_rank_up_forward(Matrix<T> y, const Operand* u, const Operand* B, Dim R) {
  matmul<T, Operand>(y, {u, y.rows, R}, Transpose::kNo, {B, y.cols, R}, Transpose::kYes, Write::kAdd);
}

template <typename T, typename Operand>
void low_rank_up_backward(T* dB, Write write, Matrix<const Operand> dy, const Operand* u, Dim R) {
  matmul<T, Operand>({dB, dy.cols, R}, dy, Transpose::kYes, {u, dy.rows, R}, Transpose::kNo, write);
}

#define RAPT_LOW_RANK(T, Operand)                                                                  \
  template void low_rank_inner_forward(T*, const Operand*, const Operand*, double, Dim, Dim, Dim); \
  template void low_rank_inner_backward(T*, Matrix<const Operand>, const Operand*, double, Dim);   \
  template void low_rank_up_forward(Matrix<T>, const Operand*, const Operand*, Dim);               \
  template void low_rank_up_backward(T*, Write, Matrix<const Operand>, const Operand*, Dim);
RAPT_LOW_RANK(float, float)
RAPT_LOW_RANK(double, double)
RAPT_LOW_RANK(float, Bf16)
#undef RAPT_LOW_RANK

}  // namespace rapt::kernels
