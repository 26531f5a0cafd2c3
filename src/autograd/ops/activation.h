// Activation functions, by enumerator or by name.
#pragma once

#include <span>
#include <utility>

#include "autograd/variable.h"
#include "tensor/kernels/activation.h"

namespace rapt {

/// y = f(x), element by element; f is defined by the enumerators of Activation. After a linear layer, `linear` with the
/// activation as its last argument computes the same in less time.
///
/// \param x  any shape
/// \return   of x's shape
///
/// Differentiable in x. Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", arXiv 1606.08415 (GELU, its
/// approximations and SiLU); Ramachandran et al. 2017, "Searching for Activation Functions", arXiv 1710.05941 (Swish).
Variable activation(const Variable& x, Activation f);

/// gelu, gelu-tanh, relu, silu, tanh, sigmoid, quick-gelu, none.
std::span<const std::pair<Activation, const char*>> activation_names();
const char* name_of(Activation f);

}  // namespace rapt
