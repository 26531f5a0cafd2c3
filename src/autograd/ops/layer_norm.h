// Layer normalisation, alone and fused with the residual addition (and dropout) before it.
#pragma once

#include "autograd/variable.h"
#include "tensor/random.h"

namespace rapt {

/// Gives each row mean 0 and variance 1, then multiplies and shifts each column.
///
///     y = (x - mean(x)) / sqrt(variance(x) + epsilon) * gain + bias
///
/// The variance is the biased one (divided by C, not C - 1), computed in two passes.
///
/// \param x     [..., C]
/// \param gain  [C]
/// \param bias  [C], or an undefined variable for none
/// \return      of x's shape
/// \throws ShapeError  if gain or bias is not [C] of x's type; std::invalid_argument if epsilon is not positive
///
/// Differentiable in x, gain and bias. Keeps x and two numbers per row. Ba, Kiros, Hinton 2016, "Layer Normalization",
/// arXiv 1607.06450.
Variable layer_norm(const Variable& x, const Variable& gain, const Variable& bias, double epsilon);

/// A residual stream after an addition, and its normalised values.
struct ResidualNorm {
  Variable sum;     ///< residual + x
  Variable normed;  ///< layer_norm(sum)
};

/// sum = residual + x and normed = layer_norm(sum) in one pass, forward and backward.
///
/// \param x, residual  [..., C], of the same shape and type
/// \throws as layer_norm; ShapeError if the shapes differ
///
/// Differentiable in all inputs. Keeps the sum and two numbers per row.
ResidualNorm add_layer_norm(const Variable& x, const Variable& residual, const Variable& gain, const Variable& bias,
                            double epsilon);

/// The same with sum = residual + dropout(x, p, key); p = 0 is add_layer_norm.
///
/// \throws also std::invalid_argument  if p is not in [0, 1)
ResidualNorm dropout_add_layer_norm(const Variable& x, const Variable& residual, const Variable& gain,
                                    const Variable& bias, double epsilon, double p, DropoutKey key);

}  // namespace rapt
