// y += scale * (x A^T) B^T: the contribution of a low-rank adapter to some outputs of a linear layer.
#pragma once

#include "tensor/matmul.h"

namespace rapt::kernels {

// u = scale * x A^T and y += u B^T for x [N, in], A [R, in], B [K, R], u [N, R], y [N, K].
template <typename T>
void low_rank_forward(Matrix<T> y, T* u, const T* x, const T* A, const T* B, double scale, Dim in, Dim R);

// dB (+)= dy^T u for dy [N, K].
template <typename T>
void low_rank_up_backward(T* dB, Write write, Matrix<const T> dy, const T* u, Dim R);

// g = scale * dy B, the gradient of x A^T.
template <typename T>
void low_rank_inner_backward(T* g, Matrix<const T> dy, const T* B, double scale, Dim R);

}  // namespace rapt::kernels
