// Products of small matrices whose right operand is packed in panels, for attention's tiles. A library's gemm packs
// both operands on each call and cannot stop at a causal diagonal. Here the right operand is packed once and used for
// many rows, and each block of rows says which part of the product it needs.
//
// Every element of C is one chain of multiply-adds in order of k, so bits do not depend on how rows are blocked. (With
// AMX they do: its order is another one, and it takes whole blocks of 16 rows and 32 terms only. Rows are counted from
// the tile's first one, so bits still depend on nothing but the sequence.)
//
// Operands are f32, f64 or bf16. bf16 operands are multiplied in pairs of terms and summed in f32: with the instruction
// for it if the processor has one, otherwise widened. Terms 2 i and 2 i + 1 lie side by side in memory, in both
// operands, so that a pair is one word of 32 bits.
//
// Included by kernel files after tensor/simd.h and tensor/matmul.h; compiled for each target.
#if defined(RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#undef RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#else
#define RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#endif

#include "tensor/kernels/amx_block.h"
#include "tensor/kernels/panels-inl.h"
#include "tensor/matmul_amx.h"
#include "tensor/simd.h"

#if defined(__clang__)
#define RAPT_UNROLL _Pragma("unroll")
#else
#define RAPT_UNROLL _Pragma("GCC unroll 8")
#endif

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// The rows of C that are kept in registers, with the vectors of a panel.
inline constexpr Dim kBlockRows = 6;

/// How far a block's terms may reach beyond those of one of its rows: other rows of it need more, and AMX multiplies 32
/// terms at once.
template <typename E>
HWY_INLINE Dim reach() {
#if HWY_TARGET == HWY_AVX3
  if (kTerms<E> == 2 && has_amx()) return kernels::AmxBlocks::kRows + kernels::AmxBlocks::kTerms;
#endif
  return kBlockRows;
}

/// How a product's terms are multiplied: f32 and f64 one at a time.
template <typename T>
struct SingleTerms {
  using Element = T;
  using Operand = Vec<Tag<T>>;
  static constexpr int kSteps = 1;
  static HWY_INLINE Operand row(const T* b, int /*step*/) { return LoadU(Tag<T>(), b); }
  static HWY_INLINE Operand factor(const T* a, Dim /*given*/, int /*step*/) { return Set(Tag<T>(), *a); }
  static HWY_INLINE void add(Vec<Tag<T>>& sum, Operand factor, Operand row) { sum = MulAdd(factor, row, sum); }
};

// A pair in all lanes, or a number and zero.
HWY_INLINE Vec<Words> pair_at(const Bf16* a, Dim given) {
  std::uint32_t word = a->bits;
  if (given > 1) hwy::CopyBytes<sizeof(word)>(a, &word);
  return Set(Words(), word);
}

/// Pairs of bf16 numbers, widened: first the even terms, then the odd ones.
struct WidenedPairs {
  using Element = Bf16;
  using Operand = Vec<Tag<float>>;
  static constexpr int kSteps = 2;
  static HWY_INLINE Operand widened(Vec<Words> pairs, int step) {
    return BitCast(Tag<float>(), step == 0 ? ShiftLeft<16>(pairs) : And(pairs, Set(Words(), 0xFFFF0000)));
  }
  static HWY_INLINE Operand row(const Bf16* b, int step) { return widened(load_pairs(b), step); }
  static HWY_INLINE Operand factor(const Bf16* a, Dim given, int step) { return widened(pair_at(a, given), step); }
  static HWY_INLINE void add(Operand& sum, Operand factor, Operand row) { sum = MulAdd(factor, row, sum); }
};

#if HWY_TARGET == HWY_AVX3
/// Pairs of bf16 numbers on processors with AVX512-BF16 (has_bf16_products).
struct Pairs {
  using Element = Bf16;
  using Operand = Vec<Words>;
  static constexpr int kSteps = 1;
  static HWY_INLINE Operand row(const Bf16* b, int /*step*/) { return load_pairs(b); }
  static HWY_INLINE Operand factor(const Bf16* a, Dim given, int /*step*/) { return pair_at(a, given); }
  static HWY_INLINE void add(Vec<Tag<float>>& sum, Operand factor, Operand row) {
    // No intrinsic: it is inlined only into functions compiled for AVX512-BF16, and Highway 1.0 has no such target.
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(row.raw), "v"(factor.raw));
  }
};
#endif

// Adds one term, or one pair of terms of which `given` are left, to a block of sums.
template <class Terms, bool kTransposed, typename E, class V, int kRows, int kVectors>
HWY_INLINE void add_terms(V (&sum)[kRows][kVectors], const E* a, Dim a_stride, const E* b, Dim given) {
  RAPT_UNROLL
  for (int step = 0; step < Terms::kSteps; ++step) {
    typename Terms::Operand row[kVectors];
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) row[v] = Terms::row(b + v * lanes_of<E>() * kTerms<E>, step);
    RAPT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto factor = Terms::factor(a + r * (kTransposed ? kTerms<E> : a_stride), given, step);
      RAPT_UNROLL
      for (int v = 0; v < kVectors; ++v) Terms::add(sum[r][v], factor, row[v]);
    }
  }
}

/// C [kRows, kVectors vectors] = or += op(A) B over `depth` terms; b at its first row, rows b_stride apart, as are
/// those of a transposed A.
template <class Terms, int kRows, int kVectors, bool kTransposed, typename E = typename Terms::Element>
void product_block(Compute<E>* c, Dim c_stride, const E* a, Dim a_stride, const E* b, Dim b_stride, Dim depth,
                   bool add) {
  const Tag<E> d;
  const Dim lanes = lanes_of<E>();
  Vec<Tag<E>> sum[kRows][kVectors];
  RAPT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[r][v] = add ? LoadU(d, c + r * c_stride + v * lanes) : Zero(d);
  }
  Dim k = 0;
  for (; k + kTerms<E> <= depth; k += kTerms<E>) {
    add_terms<Terms, kTransposed>(sum, a, a_stride, b, kTerms<E>);
    a += kTransposed ? kTerms<E> * a_stride : kTerms<E>;
    b += kTerms<E> * b_stride;
  }
  if (k < depth) add_terms<Terms, kTransposed>(sum, a, a_stride, b, 1);
  RAPT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) StoreU(sum[r][v], d, c + r * c_stride + v * lanes);
  }
}

template <typename E>
using ProductBlock = void (*)(Compute<E>*, Dim, const E*, Dim, const E*, Dim, Dim, bool);

template <class Terms, int kVectors, bool kTransposed>
ProductBlock<typename Terms::Element> product_block_of(Dim rows) {
  switch (rows) {
    case 1:
      return product_block<Terms, 1, kVectors, kTransposed>;
    case 2:
      return product_block<Terms, 2, kVectors, kTransposed>;
    case 3:
      return product_block<Terms, 3, kVectors, kTransposed>;
    case 4:
      return product_block<Terms, 4, kVectors, kTransposed>;
    case 5:
      return product_block<Terms, 5, kVectors, kTransposed>;
    default:
      return product_block<Terms, 6, kVectors, kTransposed>;
  }
}
template <class Terms, bool kTransposed>
ProductBlock<typename Terms::Element> product_block_of(Dim rows, Dim vectors) {
  switch (vectors) {
    case 1:
      return product_block_of<Terms, 1, kTransposed>(rows);
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
    default:
      return product_block_of<Terms, 2, kTransposed>(rows);
#else
    case 2:
      return product_block_of<Terms, 2, kTransposed>(rows);
    case 3:
      return product_block_of<Terms, 3, kTransposed>(rows);
    default:
      return product_block_of<Terms, 4, kTransposed>(rows);
#endif
  }
}

/// The part of a product that a block of rows needs: terms [begin, end), and its first `columns` columns, rounded up to
/// whole vectors.
struct Part {
  Dim begin, end, columns;
};

// Row `row` of op(A), from the term `term` on.
template <bool kTransposed, typename E>
HWY_INLINE const E* operand_at(const E* a, Dim a_stride, Dim row, Dim term) {
  return kTransposed ? a + term * a_stride + kTerms<E> * row : a + row * a_stride + term;
}

// Rows [first, last) of C, at most kBlockRows, over the terms [begin, end), and its first `wanted` columns from
// `column` on, the first of a panel; with its terms multiplied as Terms says.
template <class Terms, bool kTransposed, typename E>
HWY_INLINE void product_of_rows(Compute<E>* c, Dim c_stride, Dim first, Dim last, const E* a, Dim a_stride,
                                const Panels<E>& b, Dim column, Dim wanted, Dim begin, Dim end, bool add) {
  const Dim width = b.width(column);
  product_block_of<Terms, kTransposed>(last - first, (wanted + lanes_of<E>() - 1) / lanes_of<E>())(
      c + first * c_stride + column, c_stride, operand_at<kTransposed>(a, a_stride, first, begin), a_stride,
      b.at(column) + begin * width, width, end > begin ? end - begin : 0, add);
}

// small_product from row `start` on.
template <class Terms, bool kTransposed, typename E, class F>
HWY_INLINE void product_of_blocks(Compute<E>* c, Dim c_stride, Dim start, Dim rows, const E* a, Dim a_stride,
                                  const Panels<E>& b, bool add, const F& part) {
  const Dim panel = kPanelVectors * lanes_of<E>(), blocks = (rows - start + kBlockRows - 1) / kBlockRows;
  // The outer loop is over panels: each stays in the first-level cache while the rows pass over it.
  for (Dim column = 0; column < b.columns; column += panel) {
    for (Dim block = 0; block < blocks; ++block) {
      const Dim first = start + (rows - start) * block / blocks, last = start + (rows - start) * (block + 1) / blocks;
      const Part p = part(first, last);
      const Dim wanted = std::min(p.columns - column, b.width(column));
      if (wanted <= 0) continue;
      product_of_rows<Terms, kTransposed>(c, c_stride, first, last, a, a_stride, b, column, wanted,
                                          p.begin / kTerms<E> * kTerms<E>, kTransposed ? whole_terms<E>(p.end) : p.end,
                                          add);
    }
  }
}

#if HWY_TARGET == HWY_AVX3
// small_product with AMX: whole blocks of its rows and terms, and Pairs for the rest.
template <bool kTransposed, class F>
HWY_INLINE void product_by_amx(float* c, Dim c_stride, Dim rows, const Bf16* a, Dim a_stride, const Panels<Bf16>& b,
                               bool add, const F& part) {
  using kernels::AmxBlocks;
  constexpr Dim kRows = AmxBlocks::kRows, kAtOnce = AmxBlocks::kTerms;
  const Dim whole_rows = rows / kRows * kRows, whole_depth = b.depth / kAtOnce * kAtOnce;
  {
    const AmxBlocks amx;
    for (Dim column = 0; column < b.columns; column += kPanelVectors * AmxBlocks::kColumns) {
      const Dim width = b.width(column);
      for (Dim first = 0; first < whole_rows; first += kRows) {
        const Part p = part(first, first + kRows);
        const Dim wanted = std::min(p.columns - column, width);
        if (wanted <= 0) continue;
        const Dim begin = p.begin / kAtOnce * kAtOnce;
        const Dim end = std::max(begin, std::min((p.end + kAtOnce - 1) / kAtOnce * kAtOnce, whole_depth));
        amx.multiply<kTransposed>(c + first * c_stride + column, c_stride,
                                  operand_at<kTransposed>(a, a_stride, first, begin), a_stride,
                                  b.at(column) + begin * width, width, (end - begin) / kAtOnce,
                                  (wanted + AmxBlocks::kColumns - 1) / AmxBlocks::kColumns, add);
        if (end >= p.end) continue;
        for (Dim row = first; row < first + kRows; row += kBlockRows) {
          product_of_rows<Pairs, kTransposed>(c, c_stride, row, std::min(row + kBlockRows, first + kRows), a, a_stride,
                                              b, column, wanted, end, kTransposed ? whole_terms<Bf16>(p.end) : p.end,
                                              true);
        }
      }
    }
  }
  if (whole_rows < rows) {
    product_of_blocks<Pairs, kTransposed>(c, c_stride, whole_rows, rows, a, a_stride, b, add, part);
  }
}
#endif

/// C = or += op(A) B for `rows` rows of C, in blocks. A is [rows, depth] row-major, or [depth, rows] if kTransposed;
/// then with bf16, each two of its rows are interleaved, and take the place of two rows a_stride apart. part(first,
/// last) returns the part that the rows [first, last) need. The rest is left unchanged, except that a block without
/// terms becomes zero unless it is added to. Terms before and after those that a row needs may be multiplied, up to
/// kReach<E> of them; there A must be zero.
template <bool kTransposed, typename E, class F>
HWY_INLINE void small_product(Compute<E>* c, Dim c_stride, Dim rows, const E* a, Dim a_stride, const Panels<E>& b,
                              bool add, const F& part) {
  if constexpr (kTerms<E> == 1) {
    product_of_blocks<SingleTerms<E>, kTransposed>(c, c_stride, 0, rows, a, a_stride, b, add, part);
  } else {
#if HWY_TARGET == HWY_AVX3
    if (has_amx() && rows >= kernels::AmxBlocks::kRows && b.depth >= kernels::AmxBlocks::kTerms)
      return product_by_amx<kTransposed>(c, c_stride, rows, a, a_stride, b, add, part);
    if (has_bf16_products())
      return product_of_blocks<Pairs, kTransposed>(c, c_stride, 0, rows, a, a_stride, b, add, part);
#endif
    product_of_blocks<WidenedPairs, kTransposed>(c, c_stride, 0, rows, a, a_stride, b, add, part);
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
