#include "tensor/matmul_amx.h"

#include "tensor/instruction_set.h"
#include "tensor/parallel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tensor/amx_tiles.h"

namespace rapt {
namespace {

// A strip is 32 rows of A or 32 columns of B over all terms. For each 32 terms it has two tiles of AMX, of 16 rows or
// columns each.
constexpr Dim kSide = kTileSide, kUnit = AmxProduct::kUnit;
constexpr Dim kTile = kSide * kUnit;  // elements
// Terms that are multiplied before the next ones: a strip of them takes 32 KB, as the first cache, and those of all
// columns of a tile 0.8 MB of the second.
constexpr Dim kMostTerms = 512;
// An operand is packed anew by each tile that needs it if they are at most so many. The strips then stay in the cache
// of the thread. Strips that are packed for all tiles are written to memory and read again.
constexpr Dim kFewTiles = 2;
constexpr Dim kTogether = 4;           // strips that one thread packs together
constexpr Dim kCached = Dim{1} << 19;  // elements of C that would stay in the second cache

Dim round_up(Dim n) { return (n + kUnit - 1) / kUnit * kUnit; }

// From arch/x86/include/uapi/asm/prctl.h: a process must ask for the 8 KB of registers before it may use them.
constexpr long kRequestPermission = 0x1023, kTileData = 18;

bool obtain_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if ((edx & kAmxBf16) == 0 || (edx & kAmxTile) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// `given` numbers, and zeros if they are fewer than 32 or 16.
RAPT_AVX512 inline __m512i load_32(const Bf16* from, Dim given) {
  return _mm512_maskz_loadu_epi16(given >= 32 ? ~0u : (1u << given) - 1, from);
}
RAPT_AVX512 inline __m512i widen_16(const Bf16* from, Dim given) {
  const auto mask = static_cast<__mmask16>(given >= 16 ? 0xFFFF : (1u << given) - 1);
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
}

// Lines of 32 terms, side by side in memory. Meanwhile, the next strip's come into the cache.
RAPT_AVX512 inline void load_lines(TileWords& words, const Bf16* from, Dim stride, Dim sides, Dim terms) {
  for (Dim s = 0; s < kSide; ++s) {
    words.line[s] = s < sides ? load_32(from + s * stride, terms) : _mm512_setzero_si512();
    __builtin_prefetch(from + (s + kUnit) * stride, 0, 2);
  }
}

// Lines of one pair, of terms that are `stride` apart in memory. Meanwhile, the next 32 terms come into the cache.
RAPT_AVX512 inline void load_pairs(TileWords& words, const Bf16* from, Dim stride, Dim sides, Dim terms) {
  for (Dim p = 0; p < kSide; ++p) {
    const Bf16* const even = from + 2 * p * stride;
    __m512i line = 2 * p < terms ? widen_16(even, sides) : _mm512_setzero_si512();
    if (2 * p + 1 < terms) line = _mm512_or_si512(line, _mm512_slli_epi32(widen_16(even + stride, sides), 16));
    words.line[p] = line;
    __builtin_prefetch(even + kUnit * stride, 0, 2);
    __builtin_prefetch(even + (kUnit + 1) * stride, 0, 2);
  }
}

// Packs 32 terms, or those up to `end`, of the 32 rows or columns from `side`.
RAPT_AVX512 void pack_unit(Bf16* to, const AmxProduct::Operand& x, Dim side, Dim k, Dim end) {
  const Matrix<const Bf16>& m = x.matrix;
  const Dim terms = std::min(kUnit, end - k);
  for (Dim s = side; s < side + kUnit; s += kSide, to += kTile) {
    TileWords words;
    const Dim sides = std::clamp<Dim>(x.sides - s, 0, kSide);
    if (x.terms_adjoin)
      load_lines(words, m.data + s * m.stride + k, m.stride, sides, terms);
    else
      load_pairs(words, m.data + k * m.stride + s, m.stride, sides, terms);
    if (x.terms_adjoin == x.pair_first) transpose(words);
    for (Dim i = 0; i < kSide; ++i) _mm512_storeu_si512(to + i * kUnit, words.line[i]);
  }
}

// Packs the terms [k0, k1) of `count` strips from `side` on, `apart` elements apart, in the order of memory.
void pack_strips(Bf16* to, Dim apart, const AmxProduct::Operand& x, Dim side, Dim count, Dim k0, Dim k1) {
  const Dim units = round_up(k1 - k0) / kUnit;
  for (Dim i = 0; i < count * units; ++i) {
    const Dim strip = x.terms_adjoin ? i / units : i % count, unit = x.terms_adjoin ? i % units : i / count;
    pack_unit(to + strip * apart + unit * 2 * kTile, x, side + strip * kUnit, k0 + unit * kUnit, k1);
  }
}

// Where a block of C goes: into the cache, as new or to be added, or to memory past the cache.
enum class Result { kAssign, kAdd, kStream };

RAPT_AVX512 void stream_block(float* c, Dim stride, const float* block) {
  for (Dim r = 0; r < kUnit; ++r, c += stride, block += kUnit) {
    _mm512_stream_ps(c, _mm512_load_ps(block));
    _mm512_stream_ps(c + kSide, _mm512_load_ps(block + kSide));
  }
}
RAPT_AVX512 void end_streams() { _mm_sfence(); }

// 32 x 32 elements of C, of `units` times 32 terms. Meanwhile, the block to the right of it comes into the cache.
RAPT_AMX void multiply_block(float* c, Dim stride, const Bf16* a, const Bf16* b, Dim units, Result result) {
  if (result == Result::kStream) {
    alignas(64) float block[kUnit * kUnit];
    multiply_block(block, kUnit, a, b, units, Result::kAssign);
    return stream_block(c, stride, block);
  }
  asm volatile("" ::: "memory");  // GCC 12 does not know that TILELOADD reads memory
  const Dim bytes = stride * static_cast<Dim>(sizeof(float));
  float* const below = c + kSide * stride;
  if (result == Result::kAdd) {
    _tile_loadd(0, c, bytes);
    _tile_loadd(1, c + kSide, bytes);
    _tile_loadd(2, below, bytes);
    _tile_loadd(3, below + kSide, bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (Dim k = 0; k < units; ++k, a += 2 * kTile, b += 2 * kTile) {
    _tile_loadd(4, a, 64);
    _tile_loadd(6, b, 64);
    _tile_loadd(5, a + kTile, 64);
    _tile_loadd(7, b + kTile, 64);
    if (k < kSide) {
      for (const Dim ahead : {2 * k, 2 * k + 1}) {
        __builtin_prefetch(c + ahead * stride + kUnit, 1);
        __builtin_prefetch(c + ahead * stride + kUnit + kSide, 1);
      }
    }
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + kSide, bytes);
  _tile_stored(2, below, bytes);
  _tile_stored(3, below + kSide, bytes);
}

// The same at an edge of C.
void multiply_edge(Matrix<float> c, const Bf16* a, const Bf16* b, Dim units, Result result) {
  alignas(64) float whole[kUnit * kUnit] = {};
  const bool add = result == Result::kAdd;
  for (Dim r = 0; add && r < c.rows; ++r) std::copy_n(c.data + r * c.stride, c.cols, whole + r * kUnit);
  multiply_block(whole, kUnit, a, b, units, add ? Result::kAdd : Result::kAssign);
  for (Dim r = 0; r < c.rows; ++r) std::copy_n(whole + r * kUnit, c.cols, c.data + r * c.stride);
}

}  // namespace

// AVX3_DL, the best target of Highway 1.0 on these processors; with RAPT_SIMD=avx512, it is AVX3.
bool has_amx() {
  static const bool obtained = simd_target() == "AVX3_DL" && obtain_amx();
  return obtained;
}

AmxProduct::AmxProduct(Matrix<const Bf16> a, Transpose op_a, Matrix<const Bf16> b, Transpose op_b, Dim down, Dim across)
    : a_{.matrix = a, .sides = a.rows, .terms = a.cols, .terms_adjoin = true, .pair_first = false},
      b_{.matrix = b, .sides = b.cols, .terms = b.rows, .terms_adjoin = false, .pair_first = true} {
  for (auto [x, op] : {std::pair(&a_, op_a), std::pair(&b_, op_b)}) {
    if (op == Transpose::kNo) continue;
    std::swap(x->sides, x->terms);
    x->terms_adjoin = !x->terms_adjoin;
  }
  depth_ = round_up(a_.terms);
  late_ = !a_.terms_adjoin && !b_.terms_adjoin && a_.sides * b_.sides > kCached;
  const Dim strips_a = across > kFewTiles ? round_up(a_.sides) / kUnit : 0;
  const Dim strips_b = down > kFewTiles ? round_up(b_.sides) / kUnit : 0;
  if (strips_a + strips_b == 0) return;
  packed_ = Tensor::empty({strips_a + strips_b, kUnit * depth_}, DType::kBF16);
  auto* const to = packed_.data<Bf16>();
  if (strips_a > 0) a_.strips = to;
  if (strips_b > 0) b_.strips = to + strips_a * kUnit * depth_;
  const Dim pieces_a = (strips_a + kTogether - 1) / kTogether, pieces_b = (strips_b + kTogether - 1) / kTogether;
  parallel_for(pieces_a + pieces_b, [&](Dim i) {
    const bool of_a = i < pieces_a;
    const Dim first = (of_a ? i : i - pieces_a) * kTogether, before = of_a ? 0 : strips_a;
    const Dim count = std::min(kTogether, (of_a ? strips_a : strips_b) - first);
    pack_strips(to + (before + first) * kUnit * depth_, kUnit * depth_, of_a ? a_ : b_, first * kUnit, count, 0,
                a_.terms);
  });
}

void AmxProduct::multiply(Matrix<float> c, Dim r0, Dim c0, Dim k0, Dim k1, Write write, TileHook before,
                          TileHook after) const {
  const Dim passes = std::max<Dim>(1, (k1 - k0 + kMostTerms - 1) / kMostTerms);
  const Dim depth = round_up((k1 - k0 + passes - 1) / passes), most = depth * kUnit;  // elements of a strip
  const Dim strips_a = a_.strips == nullptr ? 1 : 0, strips_b = b_.strips == nullptr ? round_up(c.cols) / kUnit : 0;
  Tensor scratch;
  if (strips_a + strips_b > 0) scratch = Tensor::empty({strips_a + strips_b, most}, DType::kBF16);
  Bf16* const beside_b = scratch.defined() ? scratch.data<Bf16>() : nullptr;
  Bf16* const beside_a = beside_b + strips_b * most;
  const bool streams = late_ && passes == 1 && !after && c.stride % kSide == 0 &&
                       reinterpret_cast<std::uintptr_t>(c.data) % sizeof(__m512) == 0;

  configure_tiles();
  for (Dim k = k0; k < k1; k += depth) {
    const Dim end = std::min({k1, k + depth, a_.terms}), units = round_up(end - k) / kUnit;
    const Result result = write == Write::kAdd || k > k0 ? Result::kAdd : streams ? Result::kStream : Result::kAssign;
    pack_strips(beside_b, most, b_, c0, strips_b, k, end);
    for (Dim i = 0; i < c.rows; i += kUnit) {
      const Dim rows = std::min(kUnit, c.rows - i);
      if (before && k == k0) before(r0 + i, r0 + i + rows, c0, c0 + c.cols);
      pack_strips(beside_a, most, a_, r0 + i, strips_a, k, end);
      const Bf16* const a = strips_a > 0 ? beside_a : a_.strips + (r0 + i) * depth_ + k * kUnit;
      for (Dim j = 0; j < c.cols; j += kUnit) {
        const Bf16* const b = strips_b > 0 ? beside_b + j / kUnit * most : b_.strips + (c0 + j) * depth_ + k * kUnit;
        float* const to = c.data + i * c.stride + j;
        const Dim columns = std::min(kUnit, c.cols - j);
        if (rows == kUnit && columns == kUnit)
          multiply_block(to, c.stride, a, b, units, result);
        else
          multiply_edge({to, rows, columns, c.stride}, a, b, units, result);
      }
      if (after && k + depth >= k1) after(r0 + i, r0 + i + rows, c0, c0 + c.cols);
    }
  }
  if (streams) end_streams();
  release_tiles();
}

}  // namespace rapt

#else

namespace rapt {
bool has_amx() { return false; }
AmxProduct::AmxProduct(Matrix<const Bf16> /*a*/, Transpose /*op_a*/, Matrix<const Bf16> /*b*/, Transpose /*op_b*/,
                       Dim /*down*/, Dim /*across*/) {}
void AmxProduct::multiply(Matrix<float> /*c*/, Dim /*r0*/, Dim /*c0*/, Dim /*k0*/, Dim /*k1*/, Write /*write*/,
                          TileHook /*before*/, TileHook /*after*/) const {}
}  // namespace rapt

#endif
