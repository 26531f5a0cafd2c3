// Matrices side by side.
#pragma once

#include <vector>

#include "autograd/variable.h"

namespace rapt {

/// y = [a b ...]: the columns of the first, then those of the second, and so on.
///
/// \param parts  [N, C_i], at least one
/// \return       [N, sum of C_i]
/// \throws ShapeError  unless all have two axes and the same number of rows; std::invalid_argument for no parts
///
/// Differentiable in all parts.
Variable concat_columns(const std::vector<Variable>& parts);

}  // namespace rapt
