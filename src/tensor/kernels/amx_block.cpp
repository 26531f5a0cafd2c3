#include "tensor/kernels/amx_block.h"

#if defined(__x86_64__) && defined(__linux__)
#include "tensor/amx_tiles.h"

namespace rapt::kernels {
namespace {

// 16 columns (words) of 16 pairs of terms, which are `stride` words apart, as a tile of A.
RAPT_AVX512 void transpose_tile(std::uint32_t* tile, const std::uint32_t* from, Dim stride) {
  TileWords words;
  for (Dim pair = 0; pair < kTileSide; ++pair) words.line[pair] = _mm512_loadu_si512(from + pair * stride);
  transpose(words);
  for (Dim row = 0; row < kTileSide; ++row) _mm512_store_si512(tile + row * kTileSide, words.line[row]);
}

}  // namespace

AmxBlocks::AmxBlocks() { configure_tiles(); }
AmxBlocks::~AmxBlocks() { release_tiles(); }

// Tiles 0 to 3 are C, 4 is A, 5 to 7 are B.
template <bool kTransposed>
RAPT_AMX void AmxBlocks::multiply(float* c, Dim c_stride, const Bf16* a, Dim a_stride, const Bf16* b, Dim b_stride,
                                  Dim steps, Dim vectors, bool add) const {
  constexpr Dim kBytesOfTile = 64;
  alignas(64) std::uint32_t transposed[kTileSide * kTileSide];
  asm volatile("" : : "r"(transposed) : "memory");  // GCC 12 does not know that TILELOADD reads memory
  const Dim c_bytes = c_stride * static_cast<Dim>(sizeof(float)),
            b_bytes = 2 * b_stride * static_cast<Dim>(sizeof(Bf16));
  if (add) {
    _tile_loadd(0, c, c_bytes);
    if (vectors > 1) _tile_loadd(1, c + kTileSide, c_bytes);
    if (vectors > 2) _tile_loadd(2, c + 2 * kTileSide, c_bytes);
    if (vectors > 3) _tile_loadd(3, c + 3 * kTileSide, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (Dim step = 0; step < steps; ++step, b += kTerms * b_stride) {
    if constexpr (kTransposed) {
      transpose_tile(transposed, reinterpret_cast<const std::uint32_t*>(a + step * kTerms * a_stride), a_stride);
      asm volatile("" ::: "memory");
      _tile_loadd(4, transposed, kBytesOfTile);
    } else {
      _tile_loadd(4, a + step * kTerms, a_stride * static_cast<Dim>(sizeof(Bf16)));
    }
    _tile_loadd(5, b, b_bytes);
    _tile_dpbf16ps(0, 4, 5);
    if (vectors > 1) {
      _tile_loadd(6, b + 2 * kTileSide, b_bytes);
      _tile_dpbf16ps(1, 4, 6);
    }
    if (vectors > 2) {
      _tile_loadd(7, b + 4 * kTileSide, b_bytes);
      _tile_dpbf16ps(2, 4, 7);
    }
    if (vectors > 3) {
      _tile_loadd(5, b + 6 * kTileSide, b_bytes);
      _tile_dpbf16ps(3, 4, 5);
    }
  }
  _tile_stored(0, c, c_bytes);
  if (vectors > 1) _tile_stored(1, c + kTileSide, c_bytes);
  if (vectors > 2) _tile_stored(2, c + 2 * kTileSide, c_bytes);
  if (vectors > 3) _tile_stored(3, c + 3 * kTileSide, c_bytes);
}

}  // namespace rapt::kernels

#else

namespace rapt::kernels {
AmxBlocks::AmxBlocks() = default;
AmxBlocks::~AmxBlocks() = default;
template <bool kTransposed>
void AmxBlocks::multiply(float* /*c*/, Dim /*c_stride*/, const Bf16* /*a*/, Dim /*a_stride*/, const Bf16* /*b*/,
                         Dim /*b_stride*/, Dim /*steps*/, Dim /*vectors*/, bool /*add*/) const {}
}  // namespace rapt::kernels

#endif

namespace rapt::kernels {
template void AmxBlocks::multiply<false>(float*, Dim, const Bf16*, Dim, const Bf16*, Dim, Dim, Dim, bool) const;
template void AmxBlocks::multiply<true>(float*, Dim, const Bf16*, Dim, const Bf16*, Dim, Dim, Dim, bool) const;
}  // namespace rapt::kernels
