// oneDNN as a provider of single-threaded products. Only this header's .cpp includes dnnl.hpp.
#pragma once

#include <string>

#include "tensor/matmul.h"

namespace rapt {

/// Whether oneDNN multiplies operands of type T (float or Bf16) with instructions that this process may use: f32 with
/// AVX-512, where it is faster than OpenBLAS (docs/decisions/onednn.md), bf16 with AVX512-BF16. RAPT_SIMD counts
/// if it was set before the first product (tensor/instruction_set.h).
template <typename T>
bool prefers_onednn();

/// C = op(A) op(B), or C += op(A) op(B) with Write::kAdd, on the calling thread, for operands of type float or Bf16.
///
/// oneDNN compiles a program for each shape, which takes about 0.1 ms. Each thread keeps those that it has used.
template <typename T>
void onednn_gemm(Matrix<float> c, Matrix<const T> a, Transpose op_a, Matrix<const T> b, Transpose op_b, Write write);

/// "oneDNN 2.6.3".
std::string onednn_version();

}  // namespace rapt
