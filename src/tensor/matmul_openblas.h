// OpenBLAS as a provider of single-threaded products. Only this header's .cpp includes cblas.h.
#pragma once

#include <string>

#include "tensor/matmul.h"

namespace rapt {

/// C = alpha op(A) op(B) + beta C on the calling thread.
template <typename T>
void openblas_gemm(Matrix<T> c, Matrix<const T> a, Transpose op_a, Matrix<const T> b, Transpose op_b, T alpha, T beta);

struct OpenblasBuild {
  std::string config;   ///< the library's description of itself: version and options
  std::string core;     ///< the kernels it chose for this processor
  bool openmp = false;  ///< the build that is safe inside our threads
};

OpenblasBuild openblas_build();

}  // namespace rapt
