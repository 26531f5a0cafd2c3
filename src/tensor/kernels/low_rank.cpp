#include "tensor/kernels/low_rank.h"

#include "tensor/kernels/elementwise.h"

namespace rapt::kernels {

template <typename T>
void low_rank_forward(Matrix<T> y, T* u, const T* x, const T* A, const T* B, double scale, Dim in, Dim R) {
  const Dim N = y.rows;
  matmul<T>({u, N, R}, {x, N, in}, Transpose::kNo, {A, R, in}, Transpose::kYes, Write::kAssign);
  kernels::scale<T>(u, u, scale, N * R, Write::kAssign);
  matmul<T>(y, {u, N, R}, Transpose::kNo, {B, y.cols, R}, Transpose::kYes, Write::kAdd);
}
RAPT_INSTANTIATE(low_rank_forward);

template <typename T>
void low_rank_up_backward(T* dB, Write write, Matrix<const T> dy, const T* u, Dim R) {
  matmul<T>({dB, dy.cols, R}, dy, Transpose::kYes, {u, dy.rows, R}, Transpose::kNo, write);
}
RAPT_INSTANTIATE(low_rank_up_backward);

template <typename T>
void low_rank_inner_backward(T* g, Matrix<const T> dy, const T* B, double scale, Dim R) {
  matmul<T>({g, dy.rows, R}, dy, Transpose::kNo, {B, dy.cols, R}, Transpose::kNo, Write::kAssign);
  kernels::scale<T>(g, g, scale, dy.rows * R, Write::kAssign);
}
RAPT_INSTANTIATE(low_rank_inner_backward);

}  // namespace rapt::kernels
