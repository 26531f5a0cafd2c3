// The output layer of a language model: projection onto the vocabulary and cross-entropy in one op that never stores
// the logits of all rows.
#pragma once

#include "autograd/variable.h"

namespace rapt {

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< eps: (1 - eps) on the target, eps spread evenly over all V entries
  double scale = 1;            ///< factor of the loss
};

/// The summed cross-entropy of the predicted rows.
///
///     scale * sum_m -log softmax(x[target_rows[m]] W^T + b)[targets[m]]       (label smoothing as above)
///
/// Rows are processed in chunks, and the logits of a chunk are discarded afterwards. Other rows are not projected at
/// all. The loss is accumulated in double in a fixed order.
///
/// Gradients are computed while a chunk's logits exist: during the *forward* pass and for d(total)/d(loss) = 1. The
/// gradient of x is kept until backward. Those of weight and bias are added to weight.grad() and bias.grad()
/// immediately, because a second buffer of the vocabulary's size would be larger than all other activations. If
/// backward's dy is 1, nothing is left to compute; otherwise backward runs the chunks again to add the missing (dy - 1)
/// times the gradient. The result is correct for every dy, and fast for 1. Note that a recorded forward pass without a
/// backward pass leaves a gradient behind: clear the gradients of weight and bias, or run under NoGrad.
///
/// \param x            [N, C]
/// \param weight       [V, C]
/// \param bias         [V], or undefined for none
/// \param target_rows  [M] i32, which rows of x are predicted; any order, repetitions allowed
/// \param targets      [M] i32, the target of each of them
/// \return             one element of x's type, 0 for M = 0
/// \throws ShapeError             if the shapes do not fit
/// \throws std::invalid_argument  if a row or a target is out of range, naming it, or label_smoothing not in [0, 1]
///
/// Differentiable in x, weight and bias. Label smoothing: Szegedy et al. 2016, "Rethinking the Inception Architecture
/// for Computer Vision", arXiv 1512.00567, section 7.
Variable linear_cross_entropy(const Variable& x, const Variable& weight, const Variable& bias,
                              const Tensor& target_rows, const Tensor& targets,
                              const CrossEntropyOptions& options = {});

/// log softmax(x[target_rows[m]] W^T + b)[targets[m]], natural logarithm, in the same chunks; no gradient. Parameters
/// and errors as above.
/// \param predicted  unless null, receives [M] i32: the most probable entry of each row, the first one if several are
///     equal
/// \return           [M] of x's type
Tensor target_log_probabilities(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target_rows,
                                const Tensor& targets, Tensor* predicted = nullptr);

}  // namespace rapt
