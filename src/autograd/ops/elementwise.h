// Elementwise sums, products and multiples of variables.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// y = a + b, element by element.
///
/// \param a, b  of the same shape and type
/// \throws ShapeError  if the shapes differ; there is no broadcasting
///
/// Differentiable in both.
Variable add(const Variable& a, const Variable& b);
inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }

/// y = a * b, element by element.
///
/// \param a, b  of the same shape and type
/// \throws ShapeError  if the shapes differ; there is no broadcasting
///
/// Differentiable in both.
Variable mul(const Variable& a, const Variable& b);
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }

/// y = factor * x. Differentiable in x.
Variable scale(const Variable& x, double factor);

}  // namespace rapt
