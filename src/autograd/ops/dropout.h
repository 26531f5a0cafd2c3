// Dropout, alone and fused with a residual addition.
#pragma once

#include "autograd/variable.h"
#include "tensor/random.h"

namespace rapt {

/// Sets elements to zero with probability p and multiplies the others by 1 / (1 - p).
///
/// p is rounded to steps of 1 / 65536. The dropped elements are a function of `key`, row and column alone. Backward
/// computes the mask again, so no mask is stored, and two runs of the same block drop the same elements.
///
/// \param x  [..., C]
/// \param p  0 <= p < 1; 0 returns x itself
/// \return   of x's shape
/// \throws std::invalid_argument  if p is not in [0, 1)
///
/// Differentiable in x. Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// JMLR 15.
Variable dropout(const Variable& x, double p, DropoutKey key);

/// residual + dropout(x, p, key) in one pass.
///
/// \param x, residual  [..., C], of the same shape and type
/// \throws ShapeError  if the shapes differ; std::invalid_argument if p is not in [0, 1)
///
/// Differentiable in x and residual.
Variable dropout_add(const Variable& x, const Variable& residual, double p, DropoutKey key);

}  // namespace rapt
