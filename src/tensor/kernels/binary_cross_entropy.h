// Cross-entropy of binary labels, from logits.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// The sum over n elements of max(x, 0) - x t + log(1 + exp(-|x|)), which is -t log s(x) - (1 - t) log(1 - s(x)) without
// overflow; s is the logistic function. In double; blocks of fixed size are added in order.
template <typename T>
double binary_cross_entropy_forward(const T* x, const T* targets, Dim n);

// dx (+)= factor (s(x) - t)
template <typename T>
void binary_cross_entropy_backward(T* dx, Write write, const T* x, const T* targets, double factor, Dim n);

}  // namespace rapt::kernels
