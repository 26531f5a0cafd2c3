// Conversion between f32 and bf16.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// y = x, rounded to nearest, ties to even.
void narrow(Bf16* y, const float* x, Dim n);
// The same for x [rows, cols], whose rows are x_stride apart. Those of y are adjacent.
void narrow_rows(Bf16* y, const float* x, Dim rows, Dim cols, Dim x_stride);

// y = x, exactly.
void widen(float* y, const Bf16* x, Dim n);

}  // namespace rapt::kernels
