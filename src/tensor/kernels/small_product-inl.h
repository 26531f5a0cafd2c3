// Products of small matrices whose right operand is packed in panels, for attention's tiles. A library's gemm packs
// both operands on each call and cannot stop at a causal diagonal. Here the right operand is packed once and used for
// many rows, and each block of rows says which part of the product it needs.
//
// Every element of C is one chain of multiply-adds in order of k, whatever block it falls into, so bits do not depend
// on how rows are blocked. Included by kernel files after tensor/simd.h; compiled for each target.
#if defined(RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#undef RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#else
#define RAPT_TENSOR_KERNELS_SMALL_PRODUCT_INL_H
#endif

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

template <typename T>
HWY_INLINE Dim lanes_of() {
  return static_cast<Dim>(Lanes(Tag<T>()));
}
/// `n` columns, rounded up to whole vectors.
template <typename T>
HWY_INLINE Dim whole_vectors(Dim n) {
  return (n + lanes_of<T>() - 1) / lanes_of<T>() * lanes_of<T>();
}

/// A matrix of `depth` rows in panels of kPanelVectors vectors of columns, panel after panel, each row-major. The last
/// panel is only as wide as needed, in whole vectors; padding columns are zero. Takes depth * columns elements.
template <typename T>
struct Panels {
  T* data;
  Dim depth, columns;  // columns: whole vectors

  HWY_INLINE T* at(Dim column) const { return data + column * depth; }  // column: the first of a panel
  HWY_INLINE Dim width(Dim column) const {
    const Dim whole = kPanelVectors * lanes_of<T>();
    return columns - column < whole ? columns - column : whole;
  }
};

/// Panels of a row-major matrix [rows, columns].
template <typename T>
Panels<T> pack(T* to, const T* from, Dim stride, Dim rows, Dim columns) {
  const Tag<T> d;
  const Panels<T> panels{to, rows, whole_vectors<T>(columns)};
  for (Dim c = 0; c < panels.columns; c += kPanelVectors * lanes_of<T>()) {
    const Dim width = panels.width(c), given = columns - c < width ? columns - c : width;
    T* out = panels.at(c);
    for (Dim r = 0; r < rows; ++r, out += width) {
      const T* const in = from + r * stride + c;
      for (Dim at = 0; at < width; at += lanes_of<T>()) {
        const Dim rest = given - at;
        StoreU(rest >= lanes_of<T>() ? LoadU(d, in + at)
                                     : load_some_lanes(d, in + at, static_cast<std::size_t>(rest), T{0}),
               d, out + at);
      }
    }
  }
  return panels;
}

#if HWY_TARGET != HWY_SCALAR
// Four numbers from each of as many rows as a vector has blocks of 128 bits: rows `stride` apart, one per block.
template <class D>
HWY_INLINE Vec<D> load_blocks(D d, const float* from, Dim stride) {
  auto v = LoadDup128(d, from);
  // Masked broadcasts from memory, which do not use the shuffle unit.
  if constexpr (MaxLanes(D()) >= 8) v = IfThenElse(FirstN(d, 4), v, LoadDup128(d, from + stride));
  if constexpr (MaxLanes(D()) >= 16) {
    v = IfThenElse(FirstN(d, 8), v, LoadDup128(d, from + 2 * stride));
    v = IfThenElse(FirstN(d, 12), v, LoadDup128(d, from + 3 * stride));
  }
  return v;
}

// `lanes` rows of four, as four columns.
template <class D>
HWY_INLINE void transpose_four(D d, float* to, Dim to_stride, const float* from, Dim stride, float scale) {
  const auto s = Set(d, scale);
  const auto r0 = load_blocks(d, from, 4 * stride), r1 = load_blocks(d, from + stride, 4 * stride);
  const auto r2 = load_blocks(d, from + 2 * stride, 4 * stride), r3 = load_blocks(d, from + 3 * stride, 4 * stride);
  const auto even_low = InterleaveLower(d, r0, r2), odd_low = InterleaveLower(d, r1, r3);
  const auto even_high = InterleaveUpper(d, r0, r2), odd_high = InterleaveUpper(d, r1, r3);
  StoreU(Mul(s, InterleaveLower(d, even_low, odd_low)), d, to);
  StoreU(Mul(s, InterleaveUpper(d, even_low, odd_low)), d, to + to_stride);
  StoreU(Mul(s, InterleaveLower(d, even_high, odd_high)), d, to + 2 * to_stride);
  StoreU(Mul(s, InterleaveUpper(d, even_high, odd_high)), d, to + 3 * to_stride);
}

// As many of the rows [row, rows) as transpose_four takes at once, over all of `depth`; returns the number of rows
// done.
template <class D>
HWY_INLINE Dim transpose_rows(D d, float* to, Dim to_stride, const float* from, Dim stride, Dim rows, Dim depth,
                              float scale) {
  const auto lanes = static_cast<Dim>(Lanes(d));
  Dim r = 0;
  for (; r + lanes <= rows; r += lanes) {
    Dim k = 0;
    for (; k + 4 <= depth; k += 4)
      transpose_four(d, to + k * to_stride + r, to_stride, from + r * stride + k, stride, scale);
    for (; k < depth; ++k) {
      for (Dim i = r; i < r + lanes; ++i) to[k * to_stride + i] = scale * from[i * stride + k];
    }
  }
  return r;
}
#endif

/// Panels of scale times the transpose of a row-major matrix [rows, depth]: rows become columns.
template <typename T>
Panels<T> pack_transposed(T* to, const T* from, Dim stride, Dim rows, Dim depth, T scale) {
  const Panels<T> panels{to, depth, whole_vectors<T>(rows)};
  for (Dim c = 0; c < panels.columns; c += kPanelVectors * lanes_of<T>()) {
    const Dim width = panels.width(c), given = rows - c < width ? rows - c : width;
    T* const out = panels.at(c);
    const T* const in = from + c * stride;
    Dim r = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (sizeof(T) == 4) {
      r = transpose_rows(Tag<T>(), out, width, in, stride, given, depth, scale);
      r += transpose_rows(FixedTag<T, 4>(), out + r, width, in + r * stride, stride, given - r, depth, scale);
    }
#endif
    for (; r < given; ++r) {
      for (Dim k = 0; k < depth; ++k) out[k * width + r] = scale * in[r * stride + k];
    }
    if (r == width) continue;
    for (Dim k = 0; k < depth; ++k) {
      for (Dim i = r; i < width; ++i) out[k * width + i] = 0;
    }
  }
  return panels;
}

/// C [kRows, kVectors vectors] = or += op(A) B over `depth` terms; b at its first row, rows b_stride apart.
template <typename T, int kRows, int kVectors, bool kTransposed>
void product_block(T* c, Dim c_stride, const T* a, Dim a_stride, const T* b, Dim b_stride, Dim depth, bool add) {
  const Tag<T> d;
  const Dim lanes = lanes_of<T>();
  Vec<Tag<T>> sum[kRows][kVectors];
  RAPT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[r][v] = add ? LoadU(d, c + r * c_stride + v * lanes) : Zero(d);
  }
  for (Dim k = 0; k < depth; ++k) {
    Vec<Tag<T>> row[kVectors];
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) row[v] = LoadU(d, b + v * lanes);
    RAPT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const auto factor = Set(d, a[kTransposed ? r : r * a_stride]);
      RAPT_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = MulAdd(factor, row[v], sum[r][v]);
    }
    a += kTransposed ? a_stride : 1;
    b += b_stride;
  }
  RAPT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    RAPT_UNROLL
    for (int v = 0; v < kVectors; ++v) StoreU(sum[r][v], d, c + r * c_stride + v * lanes);
  }
}

template <typename T>
using ProductBlock = void (*)(T*, Dim, const T*, Dim, const T*, Dim, Dim, bool);

template <typename T, int kVectors, bool kTransposed>
ProductBlock<T> product_block_of(Dim rows) {
  switch (rows) {
    case 1:
      return product_block<T, 1, kVectors, kTransposed>;
    case 2:
      return product_block<T, 2, kVectors, kTransposed>;
    case 3:
      return product_block<T, 3, kVectors, kTransposed>;
    case 4:
      return product_block<T, 4, kVectors, kTransposed>;
    case 5:
      return product_block<T, 5, kVectors, kTransposed>;
    default:
      return product_block<T, 6, kVectors, kTransposed>;
  }
}
template <typename T, bool kTransposed>
ProductBlock<T> product_block_of(Dim rows, Dim vectors) {
  switch (vectors) {
    case 1:
      return product_block_of<T, 1, kTransposed>(rows);
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
    default:
      return product_block_of<T, 2, kTransposed>(rows);
#else
    case 2:
      return product_block_of<T, 2, kTransposed>(rows);
    case 3:
      return product_block_of<T, 3, kTransposed>(rows);
    default:
      return product_block_of<T, 4, kTransposed>(rows);
#endif
  }
}

/// The part of a product that a block of rows needs: terms [begin, end), and its first `columns` columns, rounded up to
/// whole vectors.
struct Part {
  Dim begin, end, columns;
};

/// C = or += op(A) B for `rows` rows of C, in blocks of at most kBlockRows of nearly equal size. A is [rows, depth]
/// row-major, or [depth, rows] if kTransposed. part(first, last) returns the part that the rows [first, last) need. The
/// rest is left unchanged, except that a block without terms becomes zero unless it is added to.
template <bool kTransposed, typename T, class F>
HWY_INLINE void small_product(T* c, Dim c_stride, Dim rows, const T* a, Dim a_stride, const Panels<T>& b, bool add,
                              const F& part) {
  const Dim lanes = lanes_of<T>(), panel = kPanelVectors * lanes, blocks = (rows + kBlockRows - 1) / kBlockRows;
  // The outer loop is over panels: each stays in the first-level cache while the rows pass over it.
  for (Dim column = 0; column < b.columns; column += panel) {
    const Dim width = b.width(column);
    const T* const from = b.at(column);
    for (Dim block = 0; block < blocks; ++block) {
      const Dim first = rows * block / blocks, last = rows * (block + 1) / blocks;
      const Part p = part(first, last);
      const Dim wanted = p.columns - column < width ? p.columns - column : width;
      if (wanted <= 0) continue;
      product_block_of<T, kTransposed>(last - first, (wanted + lanes - 1) / lanes)(
          c + first * c_stride + column, c_stride,
          kTransposed ? a + p.begin * a_stride + first : a + first * a_stride + p.begin, a_stride,
          from + p.begin * width, width, p.end > p.begin ? p.end - p.begin : 0, add);
    }
  }
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
