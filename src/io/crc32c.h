// CRC-32C (Castagnoli), the checksum of checkpoints: it finds every accidental change that matters in practice and
// costs a tenth of a second a gigabyte where the processor has an instruction for it. It does not stop a forger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rapt {

/// CRC-32C of `bytes` bytes. With `before`, the checksum of earlier bytes, that of both runs one after the other.
/// crc32c("123456789") is 0xE3069283 (RFC 3720, appendix B.4 gives more values).
std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before = 0);

/// The same by tables, on any processor; what crc32c falls back to.
std::uint32_t crc32c_by_tables(const void* data, std::size_t bytes, std::uint32_t before = 0);

}  // namespace rapt
