// Products of a few rows with a large matrix, as decoding makes them: limited by how fast the matrix comes out of
// memory, so it is read once, as it lies, where a provider would first copy it into blocks.
#pragma once

#include "tensor/matmul.h"

namespace rapt::kernels {

/// Rows of A up to which skinny_matmul is faster than a provider.
constexpr Dim kSkinnyRows = 16;
/// What the number of columns of C in a call should be a multiple of.
constexpr Dim kSkinnyColumns = 6;

// C (+)= A B^T on the calling thread, for A [M, K] with 1 <= M <= kSkinnyRows, and B [N, K]. Each element of C is one
// sum in an order that depends on K alone, so that C may be cut anywhere.
void skinny_matmul(Matrix<float> c, Matrix<const float> a, Matrix<const float> b, Write write);

}  // namespace rapt::kernels
