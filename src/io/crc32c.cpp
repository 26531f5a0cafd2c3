#include "io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace rapt {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// table[k][b]: the contribution of byte b if k more bytes follow it in the group of eight.
constexpr Table make_table() {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41 with its bits reversed
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0);
    table[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint32_t crc = table[k - 1][byte];
      table[k][byte] = (crc >> 8U) ^ table[0][crc & 0xFFU];
    }
  }
  return table;
}

constexpr Table kTable = make_table();

// Reads eight bytes, little-endian.
std::uint64_t load_little_endian(const unsigned char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) word = __builtin_bswap64(word);
  return word;
}

#if defined(__x86_64__)

bool has_crc_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(const unsigned char* at, std::size_t bytes,
                                                                      std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, at += 8) wide = _mm_crc32_u64(wide, load_little_endian(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; bytes > 0; --bytes, ++at) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

#elif defined(__aarch64__)

bool has_crc_instruction() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

// In assembly, because compilers disagree on how a function enables the extension.
std::uint32_t crc32c_by_instruction(const unsigned char* at, std::size_t bytes, std::uint32_t crc) {
  for (; bytes >= 8; bytes -= 8, at += 8) {
    asm(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(load_little_endian(at)));
  }
  for (; bytes > 0; --bytes, ++at) {
    asm(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(std::uint32_t{*at}));
  }
  return crc;
}

#endif

}  // namespace

// Eight independent table lookups per word ("slicing-by-8": Kounavis and Berry, "A Systematic Approach to Building High
// Performance Software-Based CRC Generators", 2005).
std::uint32_t crc32c_by_tables(const void* data, std::size_t bytes, std::uint32_t before) {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~before;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    const std::uint64_t word = load_little_endian(at) ^ crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTable[7 - i][(word >> (8 * i)) & 0xFFU];
  }
  for (; bytes > 0; --bytes, ++at) crc = (crc >> 8U) ^ kTable[0][(crc ^ *at) & 0xFFU];
  return ~crc;
}

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before) {
#if defined(__x86_64__) || defined(__aarch64__)
  static const bool fast = has_crc_instruction();
  if (fast) return ~crc32c_by_instruction(static_cast<const unsigned char*>(data), bytes, ~before);
#endif
  return crc32c_by_tables(data, bytes, before);
}

}  // namespace rapt
