// Linear layers: a product with a bias and an activation, in one pass over the output.
#pragma once

#include "autograd/variable.h"
#include "tensor/kernels/activation.h"

namespace rapt {

/// y = f(x W^T + b)
///
/// \param x       [N, in]
/// \param weight  [out, in], as in PyTorch
/// \param bias    [out], or undefined for none
/// \param f       applied to each tile of the product while it is in cache
/// \return        [N, out]
/// \throws ShapeError  if the shapes do not fit
///
/// Differentiable in x, weight and bias. Keeps x and, if f's derivative needs it, x W^T + b.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {}, Activation f = Activation::kNone);

}  // namespace rapt
