// Products of a few rows with a large matrix, as in decoding. They are limited by memory bandwidth. The matrix is
// therefore read once, in place; a provider would first copy it into blocks.
#pragma once

#include "tensor/matmul.h"

namespace rapt::kernels {

/// The largest number of rows of A for which skinny_matmul is faster than a provider.
constexpr Dim kSkinnyRows = 16;
/// The number of columns of C in a call should be a multiple of this.
constexpr Dim kSkinnyColumns = 6;

// C (+)= A B^T on the calling thread, for A [M, K] and B [N, K]. Each element of C is one sum in an order that depends
// only on K, so C may be divided anywhere.
template <typename T>
void skinny_matmul(Matrix<float> c, Matrix<const T> a, Matrix<const T> b, Write write);

}  // namespace rapt::kernels
