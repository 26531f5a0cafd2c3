// The scores of one row of a vocabulary, for decoding. On the calling thread: callers divide the rows.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

/// Elements of a block of block_maxima().
constexpr Dim kMaximaBlock = 64;

/// The largest of n > 0 elements, or NaN if one of them is NaN.
float largest(const float* x, Dim n);

/// log sum_i exp(x_i). \param top  the largest element, finite
float log_sum_exp(const float* x, Dim n, float top);

/// x -= amount.
void subtract(float* x, float amount, Dim n);

/// maxima[i] = the largest of x[64 i .. 64 i + 63], for finding the few largest elements of a long row.
void block_maxima(float* maxima, const float* x, Dim n);

}  // namespace rapt::kernels
