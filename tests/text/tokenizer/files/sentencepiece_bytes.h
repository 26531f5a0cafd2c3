// Makes SentencePiece model files, for tests.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace rapt::testing {

// Protobuf's encoding.
inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  return out + static_cast<char>(value);
}
inline std::string field(unsigned number, std::uint64_t value) { return varint(number << 3) + varint(value); }
inline std::string field(unsigned number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
inline std::string piece(const std::string& text, float score, std::uint64_t type = 1) {
  std::string bits(4, '\0');
  const auto value = std::bit_cast<std::uint32_t>(score);
  for (unsigned i = 0; i < 4; ++i) bits[i] = static_cast<char>(value >> (8 * i) & 0xFF);
  return field(1, field(1, text) + varint(2 << 3 | 5) + bits + (type == 1 ? "" : field(3, type)));
}

}  // namespace rapt::testing
