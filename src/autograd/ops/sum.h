// The sum of all elements.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// y = sum of all elements of x, accumulated in double in an order that depends only on the size.
///
/// \return  a scalar of x's type
///
/// Differentiable in x.
Variable sum(const Variable& x);

}  // namespace rapt
