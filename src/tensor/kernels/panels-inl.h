// The right operand of a small product, packed in panels (small_product-inl.h).
//
// Included by kernel files after tensor/simd.h; compiled for each target.
#if defined(RAPT_TENSOR_KERNELS_PANELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_KERNELS_PANELS_INL_H
#undef RAPT_TENSOR_KERNELS_PANELS_INL_H
#else
#define RAPT_TENSOR_KERNELS_PANELS_INL_H
#endif

#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// The vectors of a panel: with 6 rows of C they take 24 of 32 registers, or 12 of 16.
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

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
