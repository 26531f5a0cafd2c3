// Root-mean-square normalisation: layer norm without the mean.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// y = x / sqrt(mean(x^2) + epsilon) * gain, per row. Keeps recip[n] = 1 / sqrt(mean(x^2) + epsilon) for backward.
template <typename T>
void rms_norm_forward(T* y, T* recip, const T* x, const T* gain, double epsilon, Dim N, Dim C);

// With z = x * recip and g = dy * gain: dx (+)= (g - z * mean(g * z)) * recip,  dgain += sum(dy * z). dgain may be
// null.
template <typename T>
void rms_norm_backward(T* dx, Write write, T* dgain, const T* dy, const T* x, const T* recip, const T* gain, Dim N,
                       Dim C);

}  // namespace rapt::kernels
