// Layer normalisation, with the residual addition and the dropout that precede it. Moments are computed in two passes
// over a row in the cache, because E[x^2] - E[x]^2 cancels if the mean is large. The second pass corrects the mean by
// its remaining error, so that the mean of f32 rows is correct to the last place.
#pragma once

#include "tensor/kernels/dropout.h"
#include "tensor/types.h"

namespace rapt::kernels {

/// Arguments that all variants share.
template <typename T>
struct LayerNormShape {
  const T* gain;       ///< [C]
  const T* bias;       ///< [C], or null; backward does not need it
  T* mean;             ///< [N], kept for backward
  T* deviation_recip;  ///< [N], 1 / sqrt(variance + epsilon), kept for backward
  Dim N, C;
};

// y = (x - mean(x)) / sqrt(variance(x) + epsilon) * gain + bias, per row.
template <typename T>
void layer_norm_forward(T* y, const T* x, const LayerNormShape<T>& shape, double epsilon);

// sum = residual + x, or residual + dropout(x) if a rule is given; y = layer_norm(sum).
template <typename T>
void add_layer_norm_forward(T* y, T* sum, const T* x, const T* residual, const DropoutRule* rule,
                            const LayerNormShape<T>& shape, double epsilon);

/// The gradient of the input that was dropped before the addition: a second output of the backward pass.
template <typename T>
struct DroppedGradient {
  T* dx;
  Write write;
  DropoutRule rule;
};

// With z = (x - mean) / deviation and g = dy * gain:
//   dx = base + (g - mean(g) - z * mean(g * z)) / deviation,  dgain += sum(dy * z),  dbias += sum(dy)
// `base` may be null or dx itself; x is what was normalised; dgain and dbias may be null. If something was dropped,
// dropped->dx (+)= dropout(dx).
template <typename T>
void layer_norm_backward(T* dx, T* dgain, T* dbias, const T* base, const T* dy, const T* x,
                         const LayerNormShape<T>& shape, const DroppedGradient<T>* dropped = nullptr);

}  // namespace rapt::kernels
