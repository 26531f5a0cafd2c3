// The two linear layers of a transformer block as one op that keeps one activation instead of two.
#pragma once

#include "autograd/variable.h"
#include "tensor/kernels/activation.h"

namespace rapt {

/// y = f(x U^T + a) W^T + b: the same as linear(linear(x, U, a, f), W, b).
///
/// Composed, the two layers keep x U^T + a for f's derivative, and f of it for W's gradient. These are the two largest
/// tensors of a block. This op keeps only the first and applies f again in the backward pass.
///
/// \param x          [N, C]
/// \param up         U [F, C]
/// \param up_bias    a [F], or undefined for none
/// \param down       W [C', F]
/// \param down_bias  b [C'], or undefined for none
/// \return           [N, C']
/// \throws ShapeError  if the shapes do not fit
///
/// Differentiable in x and the four parameters. Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762,
/// section 3.3.
Variable feed_forward(const Variable& x, const Variable& up, const Variable& up_bias, const Variable& down,
                      const Variable& down_bias, Activation f);

}  // namespace rapt
