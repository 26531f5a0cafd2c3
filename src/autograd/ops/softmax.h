// Softmax.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// Turns each row of the last axis into probabilities.
///
///     y_i = exp(x_i) / sum_j exp(x_j)
///
/// \param x  [..., C]; entries may be -inf (masked), but a row may not be all -inf
/// \return   [..., C], each row non-negative and summing to 1
/// \throws ShapeError  if x is a scalar
///
/// Differentiable in x. Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with
/// Relationships to Statistical Pattern Recognition".
Variable softmax(const Variable& x);

}  // namespace rapt
