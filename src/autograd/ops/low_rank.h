// The contribution of a low-rank adapter to the output of a linear layer.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// y, with scale * (x A^T) B^T added to its columns [first, first + K).
///
/// \param y      [N, out]
/// \param x      [N, in]
/// \param A      [R, in]
/// \param B      [K, R]
/// \param first  the first column of y that is added to
/// \return       [N, out]
/// \throws ShapeError  if the shapes do not fit
///
/// Differentiable in y, x, A and B. Keeps x and scale * x A^T. Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen,
/// "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv 2106.09685, section 4.1.
Variable add_low_rank(const Variable& y, const Variable& x, const Variable& A, const Variable& B, Dim first,
                      double scale);

}  // namespace rapt
