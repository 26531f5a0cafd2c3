// Selecting one row of each packed sequence: the start and end of an answer, or the correct one of several texts.
#pragma once

#include "autograd/variable.h"
#include "tensor/packed.h"

namespace rapt {

/// The summed cross-entropy of a softmax over the rows of each sequence. Every column has its own softmax.
///
///     scale * sum_b,k -log softmax_n(x[n, k])[targets[b, k]]       over the rows n of sequence b
///
/// \param x        [N, K], K scores for each row
/// \param layout   of the N rows; no sequence may be empty
/// \param targets  [B, K] i32, the target row, counted from the start of its sequence
/// \return         one element of x's type, accumulated in double
/// \throws ShapeError             if the shapes do not fit or a sequence is empty
/// \throws std::invalid_argument  if a target is outside its sequence, naming it
///
/// Differentiable in x. Devlin et al. 2018, arXiv 1810.04805, section 4.2 (K = 2: first and last token of an answer).
Variable packed_cross_entropy(const Variable& x, const Packed& layout, const Tensor& targets, double scale = 1);

}  // namespace rapt
