// The loss of predicted numbers (regression).
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// The summed squared difference from the targets.
///
///     scale * sum (x - t)^2
///
/// \param x        any shape
/// \param targets  of x's shape and type
/// \return         one element of x's type
/// \throws ShapeError  if shapes or types differ
///
/// Differentiable in x.
Variable squared_error(const Variable& x, const Tensor& targets, double scale = 1);

}  // namespace rapt
