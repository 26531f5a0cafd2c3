// Rotary position embedding.
#pragma once

#include "autograd/variable.h"

namespace rapt {

/// Which columns rope() rotates, and how fast.
struct RopeOptions {
  Dim heads = 1;         ///< number of heads, from column 0 on; 2 H for a packed [q k v] rotates q and k but not v
  Dim head_width = 0;    ///< D
  Dim rotary_width = 0;  ///< R: number of rotated columns of each head, even; 0 for all D
  double base = 10000;   ///< the slowest pair rotates by about 1 / base per position
};

/// Rotates pairs of columns of each head by angles proportional to the position, so that products of queries and keys
/// depend on their distance.
///
///     (y_i, y_{i+R/2}) = (x_i cos a - x_{i+R/2} sin a, x_{i+R/2} cos a + x_i sin a),  a = position * base^(-2i/R)
///
/// for i in [0, R/2) of each head. The pairs are those of Hugging Face's Llama, not adjacent columns. Other columns are
/// copied. Angles are computed in double.
///
/// \param x          [N, W] with W >= heads * head_width
/// \param positions  [N] i32, none negative
/// \return           [N, W]
/// \throws ShapeError  if x or positions have other shapes; std::invalid_argument if a position is negative, R is odd
///                     or larger than D, or base is not positive
///
/// Differentiable in x. Su, Lu, Pan, Murtadha, Wen, Liu 2021, "RoFormer: Enhanced Transformer with Rotary Position
/// Embedding", arXiv 2104.09864.
Variable rope(const Variable& x, const Tensor& positions, const RopeOptions& options);

}  // namespace rapt
