#include "tensor/matmul.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "tensor/error.h"
#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/narrow.h"
#include "tensor/kernels/skinny_matmul.h"
#include "tensor/matmul_amx.h"
#include "tensor/matmul_onednn.h"
#include "tensor/matmul_openblas.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tensor/tensor.h"
#include "tensor/work.h"

namespace rapt {
namespace {

constexpr Dim kTileRows = 512, kTileCols = 768;  // larger tiles gain nothing: a provider packs both operands for each
                                                 // tile
constexpr Dim kGoodSide = 256;                   // a side is not made shorter than this while the depth can be divided
constexpr Dim kLeastSide = 64, kLeastDepth = 512;
constexpr Dim kTileFlops = Dim{1} << 21;  // a tile with less work is not worth a thread
constexpr Dim kPieces = 8;                // tiles that a product is divided into if there is enough work
constexpr Dim kSteadyRows = 64;           // rows at a time of a product with SteadyProducts

struct Tiling {
  Dim rows = 0, cols = 0, depth = 0;     // of one tile
  Dim down = 0, across = 0, layers = 0;  // how many
};

// Divides `extent` into equal pieces of a multiple of `unit`, so that no tile is a thin remainder.
Dim piece(Dim extent, Dim pieces, Dim unit) {
  return std::max(unit, ((extent + pieces - 1) / pieces + unit - 1) / unit * unit);
}

// Chooses tiles that are as square as possible, at least kPieces of them if each still has kTileFlops: a function of
// the shape. A small C with long sums, as in weight gradients, is divided along the sums and not into thin tiles,
// because the provider would pack both operands again for each thin tile.
Tiling cut(Dim M, Dim N, Dim K, Dim unit) {
  Dim down = (M + kTileRows - 1) / kTileRows, across = (N + kTileCols - 1) / kTileCols, layers = 1;
  const Dim worth = std::clamp<Dim>(2 * M * N * K / kTileFlops, 1, kPieces);
  const auto halve = [&](Dim least) {
    Dim& longer = M / down >= N / across ? down : across;
    if (std::max(M / down, N / across) < 2 * least) return false;
    longer *= 2;
    return true;
  };
  while (down * across * layers < worth) {
    if (halve(kGoodSide)) continue;
    if (K / layers >= 2 * kLeastDepth) {
      layers *= 2;
    } else if (!halve(kLeastSide)) {
      break;
    }
  }
  Tiling t{.rows = piece(M, down, unit), .cols = piece(N, across, unit), .depth = piece(K, layers, unit)};
  t.down = (M + t.rows - 1) / t.rows;
  t.across = (N + t.cols - 1) / t.cols;
  t.layers = std::max<Dim>(1, (K + t.depth - 1) / t.depth);
  return t;
}

struct Range {
  Dim begin, end;
  Dim size() const { return end - begin; }
};

// The rows and columns of op(X) that are given.
template <typename T>
Matrix<const T> part(Matrix<const T> x, Transpose op, Range rows, Range cols) {
  if (op == Transpose::kYes) std::swap(rows, cols);
  return {x.data + rows.begin * x.stride + cols.begin, rows.size(), cols.size(), x.stride};
}

// One tile, on the calling thread, by the faster provider. A function of the types and the processor, so that a run
// that is resumed has the same bits.
template <typename C>
void multiply_tile(Matrix<C> c, Matrix<const C> a, Transpose op_a, Matrix<const C> b, Transpose op_b, Write write) {
  if constexpr (std::is_same_v<C, float>) {
    const Dim K = op_a == Transpose::kYes ? a.rows : a.cols;
    if (prefers_onednn<float>() && K > 0) return onednn_gemm<float>(c, a, op_a, b, op_b, write);
  }
  openblas_gemm<C>(c, a, op_a, b, op_b, C{1}, write == Write::kAdd ? C{1} : C{0});
}

// The elements of x, side by side.
Matrix<const float> widened(Matrix<const Bf16> x, std::vector<float>& into) {
  into.resize(static_cast<std::size_t>(x.rows * x.cols));
  for (Dim r = 0; r < x.rows; ++r) kernels::widen(into.data() + r * x.cols, x.data + r * x.stride, x.cols);
  return {into.data(), x.rows, x.cols};
}

// Products of bf16 numbers are exact in f32, so without instructions for them only the order of the sums differs.
void multiply_tile(Matrix<float> c, Matrix<const Bf16> a, Transpose op_a, Matrix<const Bf16> b, Transpose op_b,
                   Write write) {
  const Dim K = op_a == Transpose::kYes ? a.rows : a.cols;
  if (prefers_onednn<Bf16>() && K > 0) return onednn_gemm<Bf16>(c, a, op_a, b, op_b, write);
  thread_local std::vector<float> wide_a, wide_b;
  multiply_tile<float>(c, widened(a, wide_a), op_a, widened(b, wide_b), op_b, write);
}

thread_local bool steady = false;

// A few rows times a large matrix: B is read once, in place. 64 KB of it make a piece. With more rows than a provider
// would need to be faster, blocks of them stay in the cache.
template <typename T>
void multiply_skinny(Matrix<float> c, Matrix<const T> a, Matrix<const T> b, Write write, TileHook before,
                     TileHook after) {
  constexpr Dim kStep = 4 * kernels::kSkinnyColumns;
  const Dim columns = std::max<Dim>(1, 16384 / std::max<Dim>(1, a.cols) / kStep) * kStep;
  parallel_blocks(c.cols, columns, [&](Dim c0, Dim c1) {
    if (before) before(0, c.rows, c0, c1);
    for (Dim r0 = 0; r0 < c.rows; r0 += kSteadyRows) {
      const Dim rows = std::min(kSteadyRows, c.rows - r0);
      kernels::skinny_matmul<T>({c.data + r0 * c.stride + c0, rows, c1 - c0, c.stride},
                                {a.data + r0 * a.stride, rows, a.cols, a.stride},
                                {b.data + c0 * b.stride, c1 - c0, b.cols, b.stride}, write);
    }
    if (after) after(0, c.rows, c0, c1);
  });
}

std::string text(Dim rows, Dim cols) { return "[" + std::to_string(rows) + ", " + std::to_string(cols) + "]"; }

}  // namespace

template <typename C, typename A, typename B>
requires Multiplied<C, A, B>
void matmul(Matrix<C> c, Matrix<const A> a, Transpose op_a, Matrix<const B> b, Transpose op_b, Write write,
            TileHook before, TileHook after) {
  const Dim M = op_a == Transpose::kYes ? a.cols : a.rows, K = op_a == Transpose::kYes ? a.rows : a.cols;
  const Dim N = op_b == Transpose::kYes ? b.rows : b.cols, K_b = op_b == Transpose::kYes ? b.cols : b.rows;
  if (K != K_b || c.rows != M || c.cols != N) {
    throw ShapeError("matmul: " + text(M, K) + " times " + text(K_b, N) + " cannot give " + text(c.rows, c.cols));
  }
  if (M == 0 || N == 0) return;
  count_flop(2 * static_cast<double>(M * N * K));
  if constexpr (std::is_same_v<C, float>) {
    if ((steady || M <= kernels::kSkinnyRows) && op_a == Transpose::kNo && op_b == Transpose::kYes) {
      return multiply_skinny(c, a, b, write, before, after);
    }
  }
  const bool by_amx = std::is_same_v<A, Bf16> && K > 0 && has_amx();
  const Tiling t = cut(M, N, K, by_amx ? AmxProduct::kUnit : 16);
  std::optional<AmxProduct> amx;
  if constexpr (std::is_same_v<A, Bf16>) {
    if (by_amx) amx.emplace(a, op_a, b, op_b, t.down, t.across);
  }
  const auto multiply = [&](Matrix<C> to, Range r, Range cols, Range k, Write how, TileHook first, TileHook last) {
    if constexpr (std::is_same_v<A, Bf16>) {
      if (amx) return amx->multiply(to, r.begin, cols.begin, k.begin, k.end, how, first, last);
    }
    if (first) first(r.begin, r.end, cols.begin, cols.end);
    multiply_tile(to, part(a, op_a, r, k), op_a, part(b, op_b, k, cols), op_b, how);
    if (last) last(r.begin, r.end, cols.begin, cols.end);
  };
  const Dim tiles = t.down * t.across;
  // The first layer is written to C, the others to scratch memory until all are done.
  Tensor beside;
  if (t.layers > 1) beside = Tensor::empty({t.layers - 1, M, N}, dtype_of<C>);
  C* const others = t.layers > 1 ? beside.data<C>() : nullptr;
  // Neighbouring tiles share their rows of A, so a thread's run of tiles finds them in its cache.
  parallel_for(
      t.layers * tiles,
      [&](Dim i) {
        const Dim layer = i / tiles, tile = i % tiles;
        const Dim r0 = tile / t.across * t.rows, r1 = std::min(M, r0 + t.rows);
        const Dim c0 = tile % t.across * t.cols, c1 = std::min(N, c0 + t.cols);
        const Dim k0 = layer * t.depth, k1 = std::min(K, k0 + t.depth);
        Matrix<C> to{c.data + r0 * c.stride + c0, r1 - r0, c1 - c0, c.stride};
        if (layer > 0) to = {others + ((layer - 1) * M + r0) * N + c0, r1 - r0, c1 - c0, N};
        multiply(to, {r0, r1}, {c0, c1}, {k0, k1}, layer == 0 ? write : Write::kAssign,
                 layer == 0 ? before : TileHook(), t.layers == 1 ? after : TileHook());
      },
      t.layers * tiles <= 4 * kPieces ? Schedule::kStatic : Schedule::kDynamic);
  if (t.layers == 1) return;
  parallel_blocks(M, rows_per_block(N), [&](Dim r0, Dim r1) {
    for (Dim r = r0; r < r1; ++r) {
      kernels::add_rows<C>(c.data + r * c.stride, Write::kAdd, {others + r * N, t.layers - 1, N, M * N});
    }
    if (after) after(r0, r1, 0, N);
  });
}
RAPT_INSTANTIATE(matmul);
template void matmul(Matrix<float>, Matrix<const Bf16>, Transpose, Matrix<const Bf16>, Transpose, Write, TileHook,
                     TileHook);

SteadyProducts::SteadyProducts(bool wanted) : before_(std::exchange(steady, wanted)) {}
SteadyProducts::~SteadyProducts() { steady = before_; }
bool SteadyProducts::wanted() { return steady; }

std::string matmul_provider() {
  const OpenblasBuild build = openblas_build();
  std::string text = build.config + ", kernels " + build.core;
  if (prefers_onednn<float>()) text += "; f32: " + onednn_version();
  return text + "; bf16: " + (has_amx() ? "AMX" : has_bf16_products() ? onednn_version() : "in f32");
}

bool has_bf16_products() { return prefers_onednn<Bf16>(); }

// x [rows, cols], or its transpose if it is stored as that, in double.
template <typename T>
static std::vector<double> in_double(const std::vector<T>& x, Dim rows, Dim cols, bool transposed) {
  std::vector<double> wide(x.size());
  for (Dim r = 0; r < rows; ++r) {
    for (Dim c = 0; c < cols; ++c) {
      wide[static_cast<std::size_t>(r * cols + c)] =
          static_cast<double>(x[static_cast<std::size_t>(transposed ? c * rows + r : r * cols + c)]);
    }
  }
  return wide;
}

// Largest error of op(A) op(B) against a plain loop in double, relative to the sum of |a b|. Every program that
// multiplies waits for it, so the loop runs along rows.
template <typename C, typename T = C>
static double worst_error(Dim M, Dim N, Dim K, Transpose op_a, Transpose op_b) {
  Rng rng({7, 11});
  std::vector<T> a(static_cast<std::size_t>(M * K)), b(static_cast<std::size_t>(K * N));
  std::vector<C> c(static_cast<std::size_t>(M * N));
  for (T& x : a) x = static_cast<T>(rng.uniform() - 0.5);
  for (T& x : b) x = static_cast<T>(rng.uniform() - 0.5);
  const bool ta = op_a == Transpose::kYes, tb = op_b == Transpose::kYes;
  const Matrix<const T> A(a.data(), ta ? K : M, ta ? M : K), B(b.data(), tb ? N : K, tb ? K : N);
  if constexpr (std::is_same_v<T, Bf16>)
    matmul<C, T>({c.data(), M, N}, A, op_a, B, op_b, Write::kAssign);  // not all providers work on single tiles
  else
    multiply_tile({c.data(), M, N}, A, op_a, B, op_b, Write::kAssign);
  const std::vector<double> rows_of_a = in_double(a, M, K, ta), rows_of_b = in_double(b, K, N, tb);
  std::vector<double> sums(static_cast<std::size_t>(N)), scales(sums.size());
  double* const sum = sums.data();
  double* const scale = scales.data();
  double worst = 0;
  for (Dim i = 0; i < M; ++i) {
    std::ranges::fill(sums, 0.0);
    std::ranges::fill(scales, 0.0);
    for (Dim k = 0; k < K; ++k) {
      const double factor = rows_of_a[static_cast<std::size_t>(i * K + k)];
      const double* const row = rows_of_b.data() + k * N;
      for (Dim j = 0; j < N; ++j) {
        const double term = factor * row[j];
        sum[j] += term;
        scale[j] += std::abs(term);
      }
    }
    for (Dim j = 0; j < N; ++j) {
      const double error = std::abs(static_cast<double>(c[static_cast<std::size_t>(i * N + j)]) - sum[j]) / scale[j];
      worst = std::isfinite(error) ? std::max(worst, error) : 1.0;
    }
  }
  return worst;
}

void check_matmul_provider() {
  static std::once_flag once;
  std::call_once(once, [] {
    const OpenblasBuild build = openblas_build();
    if (!build.openmp) {
      throw BugError("matmul: OpenBLAS must be its openmp build, got " + build.config +
                     "; install libopenblas0-openmp and select it with update-alternatives");
    }
    constexpr struct { Dim M, N, K; } kShapes[] = {{1, 17, 33}, {5, 64, 7}, {37, 41, 300}, {130, 67, 129}};
    for (const auto& s : kShapes) {
      for (const Transpose op_a : {Transpose::kNo, Transpose::kYes}) {
        for (const Transpose op_b : {Transpose::kNo, Transpose::kYes}) {
          if (worst_error<float>(s.M, s.N, s.K, op_a, op_b) < 1e-5 &&
              worst_error<double>(s.M, s.N, s.K, op_a, op_b) < 1e-13 &&
              worst_error<float, Bf16>(s.M, s.N, s.K, op_a, op_b) < 1e-5) {
            continue;
          }
          throw BugError("matmul: this library computes wrong products on this processor: " + matmul_provider() +
                         "; set OPENBLAS_CORETYPE=Haswell and RAPT_SIMD=avx2 and try again");
        }
      }
    }
  });
}

}  // namespace rapt
