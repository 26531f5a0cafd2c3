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

// The block of C that is kept in registers: 6 x 4 vectors if there are 32 registers, 6 x 2 if there are 16.
inline constexpr Dim kBlockRows = 6;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr Dim kPanelVectors = 2;
#else
inline constexpr Dim kPanelVectors = 4;
#endif

/// Lanes of a vector of sums of products of operands of type E.
template <typename E>
HWY_INLINE Dim lanes_of() {
  return static_cast<Dim>(Lanes(Tag<E>()));
}
/// `n` columns, rounded up to whole vectors.
template <typename E>
HWY_INLINE Dim whole_vectors(Dim n) {
  return (n + lanes_of<E>() - 1) / lanes_of<E>() * lanes_of<E>();
}

/// Terms of a sum that are multiplied together.
template <typename E>
inline constexpr Dim kTerms = sizeof(E) == sizeof(Bf16) ? 2 : 1;
/// `n` terms, rounded up to whole pairs if they are multiplied in pairs.
template <typename E>
HWY_INLINE Dim whole_terms(Dim n) {
  return (n + kTerms<E> - 1) / kTerms<E> * kTerms<E>;
}

/// How far a block's terms may reach beyond those of one of its rows: other rows of it need more, and AMX multiplies 32
/// terms at once.
#if HWY_TARGET == HWY_AVX3
template <typename E>
inline constexpr Dim kReach = kTerms<E> == 1 ? kBlockRows : kernels::AmxBlocks::kRows + kernels::AmxBlocks::kTerms;
#else
template <typename E>
inline constexpr Dim kReach = kBlockRows;
#endif

using Words = ScalableTag<std::uint32_t>;

/// A vector of words of two bf16 numbers each.
HWY_INLINE Vec<Words> load_pairs(const Bf16* from) {
#if HWY_TARGET == HWY_SCALAR
  Vec<Words> words;
  hwy::CopyBytes<sizeof(words)>(from, &words);
  return words;
#else
  return BitCast(Words(), LoadU(Repartition<std::uint16_t, Words>(), &from->bits));
#endif
}
HWY_INLINE void store_pairs(Vec<Words> words, Bf16* to) {
#if HWY_TARGET == HWY_SCALAR
  hwy::CopyBytes<sizeof(words)>(&words, to);
#else
  const Repartition<std::uint16_t, Words> halves;
  StoreU(BitCast(halves, words), halves, &to->bits);
#endif
}
/// Words from two vectors whose upper halves are the numbers.
HWY_INLINE Vec<Words> pairs_of(Vec<Words> even, Vec<Words> odd) {
  return Or(ShiftRight<16>(even), And(odd, Set(Words(), 0xFFFF0000)));
}

/// A matrix of `depth` rows (terms) in panels of kPanelVectors vectors of columns, panel after panel, each row-major.
/// With bf16, each two rows are interleaved and depth is even. The last panel is only as wide as needed, in whole
/// vectors; padding columns and rows are zero. Takes depth * columns elements.
template <typename E>
struct Panels {
  E* data;
  Dim depth, columns;  // columns: whole vectors

  HWY_INLINE E* at(Dim column) const { return data + column * depth; }  // column: the first of a panel
  HWY_INLINE Dim width(Dim column) const {
    const Dim whole = kPanelVectors * lanes_of<E>();
    return columns - column < whole ? columns - column : whole;
  }
};

// A vector of `given` numbers, and zeros if they are fewer than a vector holds.
template <typename E>
HWY_INLINE Vec<Tag<E>> load_columns(const E* from, Dim given) {
  const Tag<E> d;
  if (given >= lanes_of<E>()) return load_lanes(d, from);
  return load_some_lanes(d, from, static_cast<std::size_t>(given), Compute<E>{0});
}

/// Panels of a row-major matrix [rows, columns].
template <typename E>
Panels<E> pack(E* to, const E* from, Dim stride, Dim rows, Dim columns) {
  const Tag<E> d;
  const Panels<E> panels{to, whole_terms<E>(rows), whole_vectors<E>(columns)};
  for (Dim c = 0; c < panels.columns; c += kPanelVectors * lanes_of<E>()) {
    const Dim width = panels.width(c), given = columns - c < width ? columns - c : width;
    E* out = panels.at(c);
    for (Dim r = 0; r < rows; r += kTerms<E>, out += kTerms<E> * width) {
      const E* const in = from + r * stride + c;
      for (Dim at = 0; at < width; at += lanes_of<E>()) {
        const auto row = load_columns(in + at, given - at);
        if constexpr (kTerms<E> == 1) {
          StoreU(row, d, out + at);
        } else {
          const auto next = r + 1 < rows ? load_columns(in + stride + at, given - at) : Zero(d);
          store_pairs(pairs_of(BitCast(Words(), row), BitCast(Words(), next)), out + 2 * at);
        }
      }
    }
  }
  return panels;
}

// The terms [begin, depth) of the rows [first, last), one at a time. `width` is that of the panel `to`.
template <typename E>
HWY_INLINE void transpose_each(E* to, Dim width, const E* from, Dim stride, Dim first, Dim last, Dim begin, Dim depth,
                               Compute<E> scale) {
  for (Dim k = begin; k < whole_terms<E>(depth); ++k) {
    E* const out = to + k / kTerms<E> * kTerms<E> * width + k % kTerms<E>;
    for (Dim i = first; i < last; ++i) {
      if constexpr (kTerms<E> == 1)
        out[i] = scale * from[i * stride + k];
      else
        out[2 * i] = k < depth ? from[i * stride + k] : Bf16();
    }
  }
}

#if HWY_TARGET != HWY_SCALAR
// Four words from each of as many rows as a vector has blocks of 128 bits: rows `stride` elements apart, one per block.
// A word is an f32 number or two of bf16, which are only moved.
template <class D, typename E>
HWY_INLINE Vec<D> load_blocks(D d, const E* from, Dim stride) {
  const auto row = [&](Dim r) HWY_ATTR { return LoadDup128(d, reinterpret_cast<const float*>(from + r * stride)); };
  auto v = row(0);
  // Masked broadcasts from memory, which do not use the shuffle unit.
  if constexpr (MaxLanes(D()) >= 8) v = IfThenElse(FirstN(d, 4), v, row(1));
  if constexpr (MaxLanes(D()) >= 16) {
    v = IfThenElse(FirstN(d, 8), v, row(2));
    v = IfThenElse(FirstN(d, 12), v, row(3));
  }
  return v;
}

// `lanes` rows of four words, as four columns.
template <class D, typename E>
HWY_INLINE void transpose_four(D d, E* to, Dim to_stride, const E* from, Dim stride, float scale) {
  const auto store = [&](Vec<D> v, Dim row) HWY_ATTR {
    if constexpr (kTerms<E> == 1) v = Mul(Set(d, scale), v);
    StoreU(v, d, reinterpret_cast<float*>(to + row * to_stride));
  };
  const auto r0 = load_blocks(d, from, 4 * stride), r1 = load_blocks(d, from + stride, 4 * stride);
  const auto r2 = load_blocks(d, from + 2 * stride, 4 * stride), r3 = load_blocks(d, from + 3 * stride, 4 * stride);
  const auto even_low = InterleaveLower(d, r0, r2), odd_low = InterleaveLower(d, r1, r3);
  const auto even_high = InterleaveUpper(d, r0, r2), odd_high = InterleaveUpper(d, r1, r3);
  store(InterleaveLower(d, even_low, odd_low), 0);
  store(InterleaveUpper(d, even_low, odd_low), 1);
  store(InterleaveLower(d, even_high, odd_high), 2);
  store(InterleaveUpper(d, even_high, odd_high), 3);
}

// As many of the rows [0, rows) as transpose_four takes at once, over all of `depth`; returns the number of rows done.
template <class D, typename E>
HWY_INLINE Dim transpose_rows(D d, E* to, Dim width, const E* from, Dim stride, Dim rows, Dim depth, float scale) {
  const auto lanes = static_cast<Dim>(Lanes(d));
  Dim r = 0;
  for (; r + lanes <= rows; r += lanes) {
    Dim k = 0;
    for (; k + 4 * kTerms<E> <= depth; k += 4 * kTerms<E>)
      transpose_four(d, to + k * width + r * kTerms<E>, kTerms<E> * width, from + r * stride + k, stride, scale);
    transpose_each(to, width, from, stride, r, r + lanes, k, depth, scale);
  }
  return r;
}
#endif

/// Panels of scale times the transpose of a row-major matrix [rows, depth]: rows become columns. The scale must be 1
/// with bf16, because products would be rounded.
template <typename E>
Panels<E> pack_transposed(E* to, const E* from, Dim stride, Dim rows, Dim depth, Compute<E> scale) {
  const Panels<E> panels{to, whole_terms<E>(depth), whole_vectors<E>(rows)};
  for (Dim c = 0; c < panels.columns; c += kPanelVectors * lanes_of<E>()) {
    const Dim width = panels.width(c), given = rows - c < width ? rows - c : width;
    E* const out = panels.at(c);
    const E* const in = from + c * stride;
    Dim r = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (sizeof(Compute<E>) == 4) {
      r = transpose_rows(Tag<E>(), out, width, in, stride, given, depth, scale);
      r += transpose_rows(FixedTag<float, 4>(), out + kTerms<E> * r, width, in + r * stride, stride, given - r, depth,
                          scale);
    }
#endif
    transpose_each(out, width, in, stride, r, given, 0, depth, scale);
    for (Dim k = 0; given < width && k < panels.depth; k += kTerms<E>) {
      for (Dim i = kTerms<E> * given; i < kTerms<E> * width; ++i) out[k * width + i] = E{};
    }
  }
  return panels;
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

// Rows [first, last) of C, at most kBlockRows, over the terms [begin, end), and its first `wanted` columns from
// `column` on, the first of a panel; with its terms multiplied as Terms says.
template <class Terms, bool kTransposed, typename E>
HWY_INLINE void product_of_rows(Compute<E>* c, Dim c_stride, Dim first, Dim last, const E* a, Dim a_stride,
                                const Panels<E>& b, Dim column, Dim wanted, Dim begin, Dim end, bool add) {
  const Dim width = b.width(column);
  product_block_of<Terms, kTransposed>(last - first, (wanted + lanes_of<E>() - 1) / lanes_of<E>())(
      c + first * c_stride + column, c_stride,
      kTransposed ? a + begin * a_stride + kTerms<E> * first : a + first * a_stride + begin, a_stride,
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
  constexpr Dim kRows = AmxBlocks::kRows, kSteps = AmxBlocks::kTerms;
  const Dim whole_rows = rows / kRows * kRows, whole_depth = b.depth / kSteps * kSteps;
  {
    const AmxBlocks amx;
    for (Dim column = 0; column < b.columns; column += kPanelVectors * AmxBlocks::kColumns) {
      const Dim width = b.width(column);
      for (Dim first = 0; first < whole_rows; first += kRows) {
        const Part p = part(first, first + kRows);
        const Dim wanted = std::min(p.columns - column, width);
        if (wanted <= 0) continue;
        const Dim begin = p.begin / kSteps * kSteps;
        const Dim end = std::max(begin, std::min((p.end + kSteps - 1) / kSteps * kSteps, whole_depth));
        (kTransposed ? AmxBlocks::multiply_transposed : AmxBlocks::multiply)(
            c + first * c_stride + column, c_stride,
            kTransposed ? a + begin * a_stride + kTerms<Bf16> * first : a + first * a_stride + begin, a_stride,
            b.at(column) + begin * width, width, (end - begin) / kSteps,
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
