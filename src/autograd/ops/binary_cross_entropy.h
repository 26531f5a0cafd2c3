// The loss of independent binary labels (multi-label classification).
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// The summed cross-entropy of independent binary labels, from logits.
///
///     scale * sum -t log s(x) - (1 - t) log(1 - s(x)),   s(x) = 1 / (1 + e^-x)
///
/// Computed as max(x, 0) - x t + log(1 + e^-|x|), which cannot overflow, and accumulated in double.
///
/// \param x        any shape
/// \param targets  of x's shape and type, each in [0, 1]
/// \return         one element of x's type
/// \throws ShapeError             if shapes or types differ
/// \throws std::invalid_argument  if a target is not in [0, 1]
///
/// Differentiable in x.
Variable binary_cross_entropy(const Variable& x, const Tensor& targets, double scale = 1);

}  // namespace rapt
