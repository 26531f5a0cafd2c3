// oneDNN as a provider of single-threaded products. Only this header's .cpp includes dnnl.hpp.
#pragma once

#include <string>

#include "tensor/matmul.h"

namespace rapt {

/// Whether oneDNN multiplies f32 faster than OpenBLAS with the instructions that this process may use: with AVX-512
/// (docs/decisions/onednn.md). RAPT_SIMD counts if it was set before the first product (tensor/instruction_set.h).
bool prefers_onednn();

/// C = op(A) op(B), or C += op(A) op(B) with Write::kAdd, on the calling thread.
///
/// oneDNN compiles a program for each shape, which takes about 0.1 ms. Each thread keeps those that it has used.
void onednn_gemm(Matrix<float> c, Matrix<const float> a, Transpose op_a, Matrix<const float> b, Transpose op_b,
                 Write write);

/// "oneDNN 2.6.3".
std::string onednn_version();

}  // namespace rapt
