// Means over the rows of packed sequences.
#pragma once

#include <span>

#include "tensor/types.h"

namespace rapt::kernels {

// y[b] = the mean of rows offsets[b] .. offsets[b + 1] - 1 of x [N, C], added up in order; no sequence is empty.
template <typename T>
void mean_pool_forward(T* y, const T* x, std::span<const std::int32_t> offsets, Dim C);

// dx[n] (+)= dy[b] / length of b, for the rows n of sequence b.
template <typename T>
void mean_pool_backward(T* dx, Write write, const T* dy, std::span<const std::int32_t> offsets, Dim C);

}  // namespace rapt::kernels
