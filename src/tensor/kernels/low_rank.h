// y += scale * (x A^T) B^T: the contribution of a low-rank adapter to some outputs of a linear layer.
#pragma once

#include "tensor/matmul.h"

namespace rapt::kernels {

// For x [N, in], A [R, in], B [K, R], u [N, R], y [N, K]. The operands of the products are of type T, or of type Bf16
// with T = float.

// u = scale * x A^T.
template <typename T, typename Operand>
void low_rank_inner_forward(T* u, const Operand* x, const Operand* A, double scale, Dim N, Dim in, Dim R);

// g = scale * dy B, the gradient of x A^T.
template <typename T, typename Operand>
void low_rank_inner_backward(T* g, Matrix<const Operand> dy, const Operand* B, double scale, Dim R);

// y += u B^T.
template <typename T, typename Operand>
void low_rank_up_forward(Matrix<T> y, const Operand* u, const Operand* B, Dim R);

// dB (+)= dy^T u for dy [N, K].
template <typename T, typename Operand>
void low_rank_up_backward(T* dB, Write write, Matrix<const Operand> dy, const Operand* u, Dim R);

}  // namespace rapt::kernels
