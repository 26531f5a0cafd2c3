// Products of bf16 operands with AMX, the matrix unit of Intel's processors since Sapphire Rapids. Its instructions are
// in this header's .cpp and, for attention, in kernels/amx_block.cpp.
#pragma once

#include "tensor/matmul.h"
#include "tensor/tensor.h"

namespace rapt {

/// Whether this process may use AMX. It asks the system for it once. Not with RAPT_SIMD=avx512 and less.
bool has_amx();

/// C = op(A) op(B) of bf16 operands, in tiles.
///
/// An operand that many tiles need is packed once for all of them, in the layout of AMX; another one by each tile.
/// Every element of C is one chain of sums in order of the terms, so its bits do not depend on its place in a tile.
/// Denormal numbers count as zero (Intel, "Architecture Instruction Set Extensions", TDPBF16PS).
class AmxProduct {
 public:
  /// Tiles begin at multiples of this many rows, columns and terms.
  static constexpr Dim kUnit = 32;

  /// Packs on all threads. \param down, across  how many tiles C has
  AmxProduct(Matrix<const Bf16> a, Transpose op_a, Matrix<const Bf16> b, Transpose op_b, Dim down, Dim across);

  /// The tile of C at row r0 and column c0, from the terms [k0, k1), on the calling thread. The hooks are called for
  /// kUnit rows of it at a time.
  void multiply(Matrix<float> c, Dim r0, Dim c0, Dim k0, Dim k1, Write write, TileHook before, TileHook after) const;

  /// A or B.
  struct Operand {
    Matrix<const Bf16> matrix;
    Dim sides = 0, terms = 0;      // rows of op(A) or columns of op(B), and terms of each
    bool terms_adjoin = false;     // in memory, terms of one side are neighbours; otherwise, sides of one term are
    bool pair_first = false;       // as AMX needs it: B
    const Bf16* strips = nullptr;  // packed for all tiles
  };

 private:
  Operand a_, b_;
  Dim depth_ = 0;      // terms, in whole units
  bool late_ = false;  // C is read late, and too large for the caches until then: a weight's gradient, A^T B
  Tensor packed_;
};

}  // namespace rapt
