// All matrix products go through this file. It divides the work into tiles fixed by its shape, distributes them to the
// threads, and calls a provider (OpenBLAS, oneDNN or AMX) single-threaded on each: the same bits on any number of
// threads.
#pragma once

#include <string>
#include <type_traits>

#include "tensor/types.h"

namespace rapt {

/// A row-major matrix of `rows` x `cols` whose rows are `stride` elements apart. Non-owning.
template <typename T>
struct Matrix {
  T* data = nullptr;
  Dim rows = 0, cols = 0;
  Dim stride = 0;

  Matrix() = default;
  Matrix(T* data, Dim rows, Dim cols) : Matrix(data, rows, cols, cols) {}
  Matrix(T* data, Dim rows, Dim cols, Dim stride) : data(data), rows(rows), cols(cols), stride(stride) {}
  operator Matrix<const T>() const  // NOLINT: implicit, like T* to const T*
      requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }
};

/// Whether an operand is transposed.
enum class Transpose : std::uint8_t { kNo, kYes };

/// A borrowed callable void(row_begin, row_end, column_begin, column_end): work on a part of C before or after its
/// product, on the thread that has it in its cache (bias, activation). The parts cover C once.
class TileHook {
 public:
  TileHook() = default;
  template <typename F>
  TileHook(const F& f)  // NOLINT: implicit on purpose, so that a lambda can be passed as a hook
      : body_(&f),
        call_([](const void* g, Dim r0, Dim r1, Dim c0, Dim c1) { (*static_cast<const F*>(g))(r0, r1, c0, c1); }) {}
  explicit operator bool() const { return call_ != nullptr; }
  void operator()(Dim r0, Dim r1, Dim c0, Dim c1) const { call_(body_, r0, r1, c0, c1); }

 private:
  const void* body_ = nullptr;
  void (*call_)(const void*, Dim, Dim, Dim, Dim) = nullptr;
};

/// Whether elements of types A and B can be multiplied into sums of type C: all of one type, or bf16 into f32.
template <typename C, typename A, typename B>
concept Multiplied = std::is_same_v<A, B> &&
    ((std::is_floating_point_v<C> && std::is_same_v<A, C>) || (std::is_same_v<C, float> && std::is_same_v<A, Bf16>));

/// C = op(A) op(B), or C += op(A) op(B) with Write::kAdd. With a `before` hook that fills the tile (with the bias, for
/// example), pass Write::kAdd: the product is added to the result of the hook.
///
/// \throws ShapeError  if the shapes do not match
template <typename C, typename A = C, typename B = A>
requires Multiplied<C, A, B>
void matmul(Matrix<C> c, Matrix<const A> a, Transpose op_a, Matrix<const B> b, Transpose op_b, Write write,
            TileHook before = {}, TileHook after = {});

/// While one exists on the calling thread, each row of a product A B^T (f32) has the same bits whatever the number of
/// rows: providers choose other kernels for other shapes. For decoding, so that a sequence's scores do not depend on
/// the rest of the batch.
class SteadyProducts {
 public:
  SteadyProducts() : SteadyProducts(true) {}
  /// On a thread that works for another one. \param wanted  by that one
  explicit SteadyProducts(bool wanted);
  ~SteadyProducts();
  SteadyProducts(const SteadyProducts&) = delete;
  SteadyProducts& operator=(const SteadyProducts&) = delete;
  /// Whether one exists on the calling thread.
  static bool wanted();

 private:
  bool before_;
};

/// Describes the providers: "OpenBLAS 0.3.21 openmp, kernels COOPERLAKE; f32: oneDNN 2.6.3; bf16: AMX".
std::string matmul_provider();
/// Whether this process may use instructions for products of bf16 operands; otherwise, they are multiplied in f32.
bool has_bf16_products();

/// Multiplies a few odd shapes and compares them with a plain loop, once per process, because some OpenBLAS builds
/// compute wrong results on some processors. Also rejects OpenBLAS builds that are not safe inside our threads.
///
/// \throws Error (70)  naming the kernel and OPENBLAS_CORETYPE
void check_matmul_provider();

}  // namespace rapt
