// Cross-entropy over the rows of each packed sequence: predicts one row of the sequence.
#pragma once

#include <span>

#include "tensor/types.h"

namespace rapt::kernels {

// losses[b, k] = logsumexp(x[n, k] over the rows n of sequence b) - x[first row of b + targets[b, k], k], in double.
// lse[b, k] is that logsumexp, for backward. x [N, K], targets [B, K]; no sequence is empty.
template <typename T>
void packed_cross_entropy_forward(double* losses, double* lse, const T* x, std::span<const std::int32_t> offsets,
                                  const std::int32_t* targets, Dim K);

// dx[n, k] (+)= factor (exp(x[n, k] - lse[b, k]) - [n is the target])
template <typename T>
void packed_cross_entropy_backward(T* dx, Write write, const T* x, std::span<const std::int32_t> offsets,
                                   const std::int32_t* targets, const double* lse, double factor, Dim K);

}  // namespace rapt::kernels
