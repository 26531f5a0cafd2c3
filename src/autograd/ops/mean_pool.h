// One vector per sequence: the mean of its rows.
#pragma once

#include "autograd/variable.h"
#include "tensor/packed.h"

namespace rapt {

/// The mean of each packed sequence's rows.
///
///     y[b] = 1 / length_b * sum of x[n] over the rows n of sequence b
///
/// \param x       [N, C]
/// \param layout  of the N rows; no sequence may be empty
/// \return        [B, C]
/// \throws ShapeError  if x is not [N, C] or a sequence is empty
///
/// Differentiable in x. Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084, section 3.
Variable mean_pool(const Variable& x, const Packed& layout);

}  // namespace rapt
