// Root-mean-square normalisation.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// Gives each row a mean square of 1, then multiplies each column.
///
///     y = x / sqrt(mean(x^2) + epsilon) * gain
///
/// \param x     [..., C]
/// \param gain  [C]
/// \return      of x's shape
/// \throws ShapeError  if gain is not [C] of x's type; std::invalid_argument if epsilon is not positive
///
/// Differentiable in x and gain. Keeps x and one number per row. Zhang, Sennrich 2019, "Root Mean Square Layer
/// Normalization", arXiv 1910.07467.
Variable rms_norm(const Variable& x, const Variable& gain, double epsilon);

/// Each row divided by its Euclidean norm; a zero row stays zero. The dot products of such rows are cosines.
///
///     y = x / |x|
///
/// \param x  [..., C]
/// \return   of x's shape
/// \throws ShapeError  if x is a scalar
///
/// Differentiable in x where x is not zero.
Variable unit_rows(const Variable& x);

}  // namespace rapt
