// The end of a language model: projection onto the vocabulary and cross-entropy in one op that never holds the logits
// of all rows.
#pragma once

#include "autograd/variable.h"

namespace rapt {

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< eps: (1 - eps) on the target, eps spread evenly over all V entries
  double scale = 1;            ///< factor of the loss
};

/// The summed cross-entropy of the rows that are predicted.
///
///     scale * sum_m -log softmax(x[target_rows[m]] W^T + b)[targets[m]]       (label smoothing as above)
///
/// Rows go through in chunks whose logits are forgotten again; other rows are not projected at all. The loss is added
/// up in double in a fixed order.
///
/// Gradients are computed while a chunk's logits are there, during the *forward* pass and for d(total)/d(loss) = 1.
/// That of x is kept until backward; those of weight and bias are added to weight.grad() and bias.grad() at once,
/// because a second buffer of the vocabulary's size would be larger than all other activations. Backward then has
/// nothing left to compute when its dy is 1, and otherwise runs the chunks again to add the missing (dy - 1) times the
/// gradient: right for every dy, fast for 1. So a forward pass that is recorded and never run backward leaves a
/// gradient behind: clear the gradients of weight and bias, or run under NoGrad.
///
/// \param x            [N, C]
/// \param weight       [V, C]
/// \param bias         [V], or undefined for none
/// \param target_rows  [M] i32, which rows of x are predicted; in any order, also repeatedly
/// \param targets      [M] i32, what each of them should predict
/// \return             one element of x's type, 0 for M = 0
/// \throws ShapeError             if the shapes do not fit
/// \throws std::invalid_argument  if a row or a target is out of range, naming it, or label_smoothing not in [0, 1]
///
/// Differentiable in x, weight and bias. Label smoothing: Szegedy et al. 2016, "Rethinking the Inception Architecture
/// for Computer Vision", arXiv 1512.00567, section 7.
Variable linear_cross_entropy(const Variable& x, const Variable& weight, const Variable& bias,
                              const Tensor& target_rows, const Tensor& targets,
                              const CrossEntropyOptions& options = {});

/// log softmax(x[target_rows[m]] W^T + b)[targets[m]], natural logarithm, in the same chunks; no gradient.
/// Parameters and errors as above.
/// \param predicted  unless null, gets [M] i32: the entry that each row gives the most to, the first of equals
/// \return           [M] of x's type
Tensor target_log_probabilities(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target_rows,
                                const Tensor& targets, Tensor* predicted = nullptr);

}  // namespace rapt
