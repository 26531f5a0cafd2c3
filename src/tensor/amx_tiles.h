// The registers of AMX: eight tiles of 16 lines of 64 bytes. For files that use its instructions, on Linux and x86-64.
//
// A tile of 32-bit words holds pairs of bf16 numbers: the terms 2 p and 2 p + 1 of a sum. In a tile of A, a line has
// the pairs of one row; in a tile of B, a line has one pair of all columns.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#include <cstdint>

#include "tensor/types.h"

// GCC 12 takes the undefined operands of its own intrinsics for mistakes (its bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define RAPT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define RAPT_AMX __attribute__((target("amx-tile,amx-bf16")))

namespace rapt {

inline constexpr Dim kTileSide = 16;

// The words of a tile, by row or column first, or by pair first.
struct TileWords {
  __m512i line[kTileSide];
};

RAPT_AVX512 inline void transpose(TileWords& words) {
  __m512i t[kTileSide];
  __m512i* const x = words.line;
  for (int i = 0; i < kTileSide; i += 2) {
    t[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  for (int i = 0; i < kTileSide; i += 4) {
    x[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // Now block b of 128 bits of x[4 i + j] has the rows 4 i to 4 i + 3 of column 4 b + j.
  for (int j = 0; j < 4; ++j) {
    const __m512i low01 = _mm512_shuffle_i32x4(x[j], x[4 + j], 0x88),
                  low23 = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0x88);
    const __m512i odd01 = _mm512_shuffle_i32x4(x[j], x[4 + j], 0xDD),
                  odd23 = _mm512_shuffle_i32x4(x[8 + j], x[12 + j], 0xDD);
    t[j] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    t[8 + j] = _mm512_shuffle_i32x4(low01, low23, 0xDD);
    t[4 + j] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
    t[12 + j] = _mm512_shuffle_i32x4(odd01, odd23, 0xDD);
  }
  for (int i = 0; i < kTileSide; ++i) x[i] = t[i];
}

// What the registers hold, for LDTILECFG: eight tiles of 16 lines of 64 bytes.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_per_line[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t lines[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

inline constexpr TileConfiguration kTileConfiguration;

// In memory for good: GCC 12 believes that LDTILECFG reads only the first 8 bytes.
RAPT_AMX inline void configure_tiles() { _tile_loadconfig(&kTileConfiguration); }
// Switching to another thread no longer saves the registers.
RAPT_AMX inline void release_tiles() { _tile_release(); }

}  // namespace rapt
#endif
