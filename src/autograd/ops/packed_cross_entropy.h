// Choosing one row of each packed sequence: where an answer begins and ends, which of several texts is the right one.
#pragma once

#include "autograd/variable.h"
#include "tensor/batch.h"

namespace rapt {

/// The summed cross-entropy of a softmax over the rows of each sequence; every column has a softmax of its own.
///
///     scale * sum_b,k -log softmax_n(x[n, k])[targets[b, k]]       over the rows n of sequence b
///
/// \param x        [N, K], a score of each row for each of K questions
/// \param layout   of the N rows; no sequence may be empty
/// \param targets  [B, K] i32, the right row counted from the sequence's first
/// \return         one element of x's type, added up in double
/// \throws ShapeError             if the shapes do not fit or a sequence is empty
/// \throws std::invalid_argument  if a target is not in its sequence, naming it
///
/// Differentiable in x. Devlin et al. 2018, arXiv 1810.04805, section 4.2 (K = 2: first and last token of an answer).
Variable packed_cross_entropy(const Variable& x, const Packed& layout, const Tensor& targets, double scale = 1);

}  // namespace rapt
