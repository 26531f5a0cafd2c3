// Products of small blocks of bf16 with AMX, in the layouts of small_product-inl.h.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

/// The calling thread can use AMX while one exists, and has no other use for it. \pre has_amx()
class AmxBlocks final {
 public:
  static constexpr Dim kRows = 16, kColumns = 16, kTerms = 32;

  AmxBlocks();
  ~AmxBlocks();
  AmxBlocks(const AmxBlocks&) = delete;
  AmxBlocks& operator=(const AmxBlocks&) = delete;

  // C = or += op(A) B for kRows rows and `vectors` times kColumns columns of C, at most 4, over `steps` times kTerms
  // terms. A is row-major; if transposed, its rows are terms, interleaved two by two, and each pair takes the place of
  // two rows. Rows of B are interleaved two by two, and b_stride columns wide.
  template <bool kTransposed>
  void multiply(float* c, Dim c_stride, const Bf16* a, Dim a_stride, const Bf16* b, Dim b_stride, Dim steps,
                Dim vectors, bool add) const;
};

}  // namespace rapt::kernels
