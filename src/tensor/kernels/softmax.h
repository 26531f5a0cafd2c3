// Softmax over rows.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// y = exp(x - max(x)) / sum(exp(x - max(x))), per row. Subtracting max keeps exp from overflowing. y may be x.
template <typename T>
void softmax_forward(T* y, const T* x, Dim N, Dim C);

// dx (+)= y * (dy - sum(dy * y)), per row: the output is enough, x is not needed.
template <typename T>
void softmax_backward(T* dx, Write write, const T* dy, const T* y, Dim N, Dim C);

}  // namespace rapt::kernels
