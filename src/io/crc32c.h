// CRC-32C (Castagnoli), the checksum of checkpoints. It detects practically every accidental change, and takes a tenth
// of a second per gigabyte if the processor has an instruction for it. It does not protect against forgery.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rapt {

/// CRC-32C of `bytes` bytes. If `before` is the checksum of earlier bytes, the result is the checksum of both in
/// sequence. crc32c("123456789") is 0xE3069283 (RFC 3720, appendix B.4 has more values).
std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before = 0);

/// The same with lookup tables, for any processor; the fallback of crc32c.
std::uint32_t crc32c_by_tables(const void* data, std::size_t bytes, std::uint32_t before = 0);

}  // namespace rapt
