// Rotary position embedding: rotates pairs of columns of each head by angles that grow with the position. Columns i and
// i + R/2 of a head are a pair, as in Hugging Face's Llama and GPT-NeoX.
#pragma once

#include <cstdint>

#include "tensor/types.h"

namespace rapt::kernels {

/// Cosines and sines of the angles of each row.
template <typename T>
struct Rotation {
  const T* cosines;             ///< [rows, R/2]
  const T* sines;               ///< [rows, R/2]
  const std::int32_t* indices;  ///< [N]: the row of the angles for row n; null: row n
  Dim N, width;                 ///< x is [N, width]
  Dim heads, head_width;        ///< columns [0, heads * head_width) are rotated, the others copied
  Dim rotary_width;             ///< R: the first R columns of each head are rotated
};

// cosines[row], sines[row] = cosine and sine of position * base^(-2 i / R) for i in [0, R/2), computed in double.
// \param positions  [rows], or null: row r is position r
template <typename T>
void rope_angles(T* cosines, T* sines, const std::int32_t* positions, Dim rows, Dim rotary_width, double base);

// (y_i, y_{i + R/2}) = (x_i cos - x_{i + R/2} sin, x_{i + R/2} cos + x_i sin).
template <typename T>
void rope_forward(T* y, const T* x, const Rotation<T>& rotation);

// dx (+)= dy rotated back.
template <typename T>
void rope_backward(T* dx, Write write, const T* dy, const Rotation<T>& rotation);

}  // namespace rapt::kernels
