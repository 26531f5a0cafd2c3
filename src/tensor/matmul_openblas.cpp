#include "tensor/matmul_openblas.h"

#include <cblas.h>

#include <mutex>

namespace rapt {
namespace {

// openblas_set_num_threads changes the OpenMP default team size, so it is called once, before any of our regions.
void use_one_thread() {
  static std::once_flag once;
  std::call_once(once, [] { openblas_set_num_threads(1); });
}

constexpr CBLAS_TRANSPOSE cblas(Transpose t) { return t == Transpose::kYes ? CblasTrans : CblasNoTrans; }

}  // namespace

template <typename T>
void openblas_gemm(Matrix<T> c, Matrix<const T> a, Transpose op_a, Matrix<const T> b, Transpose op_b, T alpha, T beta) {
  use_one_thread();
  const auto M = static_cast<blasint>(c.rows), N = static_cast<blasint>(c.cols);
  const auto K = static_cast<blasint>(op_a == Transpose::kYes ? a.rows : a.cols);
  if (M == 0 || N == 0) return;
  const auto lda = static_cast<blasint>(a.stride), ldb = static_cast<blasint>(b.stride);
  const auto ldc = static_cast<blasint>(c.stride);
  if constexpr (std::is_same_v<T, float>) {
    cblas_sgemm(CblasRowMajor, cblas(op_a), cblas(op_b), M, N, K, alpha, a.data, lda, b.data, ldb, beta, c.data, ldc);
  } else {
    static_assert(std::is_same_v<T, double>, "OpenBLAS multiplies f32 and f64");
    cblas_dgemm(CblasRowMajor, cblas(op_a), cblas(op_b), M, N, K, alpha, a.data, lda, b.data, ldb, beta, c.data, ldc);
  }
}
RAPT_INSTANTIATE(openblas_gemm);

OpenblasBuild openblas_build() {
  use_one_thread();
  return {openblas_get_config(), openblas_get_corename(), openblas_get_parallel() == OPENBLAS_OPENMP};
}

}  // namespace rapt
