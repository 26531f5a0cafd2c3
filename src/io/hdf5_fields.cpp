#include "io/hdf5_fields.h"

#include <array>

namespace rapt::hdf5_fields {
namespace {

struct KnownType {
  ElementType type;
  std::string_view encoding;  // the datatype message after its first byte, which holds class and version
  unsigned char klass;
};

// Class 0 is fixed-point, class 1 floating-point. Then follow bit field, size, bit offset, precision, and the positions
// of sign, exponent and fraction. All little-endian.
using namespace std::string_view_literals;
constexpr std::array<KnownType, 7> kKnownTypes = {{
    {ElementType::kF32, "\x20\x1f\0\x04\0\0\0\0\0\x20\0\x17\x08\0\x17\x7f\0\0\0"sv, 1},
    {ElementType::kF64, "\x20\x3f\0\x08\0\0\0\0\0\x40\0\x34\x0b\0\x34\xff\x03\0\0"sv, 1},
    {ElementType::kBF16, "\x20\x0f\0\x02\0\0\0\0\0\x10\0\x07\x08\0\x07\x7f\0\0\0"sv, 1},
    {ElementType::kI64, "\x08\0\0\x08\0\0\0\0\0\x40\0"sv, 0},
    {ElementType::kI32, "\x08\0\0\x04\0\0\0\0\0\x20\0"sv, 0},
    {ElementType::kU16, "\0\0\0\x02\0\0\0\0\0\x10\0"sv, 0},
    {ElementType::kU8, "\0\0\0\x01\0\0\0\0\0\x08\0"sv, 0},
}};

// The checksum of HDF5's headers: Jenkins' lookup3, hashlittle with initial value 0 (2006, public domain).
std::uint32_t lookup3(std::string_view bytes) {
  const auto rotate = [](std::uint32_t x, unsigned n) { return (x << n) | (x >> (32 - n)); };
  std::uint32_t a = 0xdeadbeef + static_cast<std::uint32_t>(bytes.size()), b = a, c = a;
  const auto add = [&](std::string_view block) {  // up to 12 bytes, as if zeros followed
    std::array<std::uint32_t, 3> words{};
    std::memcpy(words.data(), block.data(), block.size());
    a += words[0];
    b += words[1];
    c += words[2];
  };
  for (; bytes.size() > 12; bytes.remove_prefix(12)) {
    add(bytes.substr(0, 12));
    a -= c, a ^= rotate(c, 4), c += b;
    b -= a, b ^= rotate(a, 6), a += c;
    c -= b, c ^= rotate(b, 8), b += a;
    a -= c, a ^= rotate(c, 16), c += b;
    b -= a, b ^= rotate(a, 19), a += c;
    c -= b, c ^= rotate(b, 4), b += a;
  }
  if (bytes.empty()) return c;
  add(bytes);
  c ^= b, c -= rotate(b, 14);
  a ^= c, a -= rotate(c, 11);
  b ^= a, b -= rotate(a, 25);
  c ^= b, c -= rotate(b, 16);
  a ^= c, a -= rotate(c, 4);
  b ^= a, b -= rotate(a, 14);
  c ^= b, c -= rotate(b, 24);
  return c;
}

}  // namespace

bool checksum_holds(std::string_view bytes) {
  return lookup3(bytes.substr(0, bytes.size() - 4)) == Cursor(bytes.substr(bytes.size() - 4)).u32();
}

std::optional<ElementType> number_type(std::string_view datatype) {
  for (const KnownType& known : kKnownTypes) {
    const auto head = static_cast<unsigned char>(datatype.empty() ? 0 : datatype[0]);
    const bool same_class = (head & 15U) == known.klass && (head >> 4U) >= 1 && (head >> 4U) <= 3;
    if (same_class && datatype.substr(1, known.encoding.size()) == known.encoding) return known.type;
  }
  return std::nullopt;
}

// Class 3: padding and character set in the bit field, then the size.
bool is_fixed_string(std::string_view datatype) {
  return datatype.size() >= 8 && (static_cast<unsigned char>(datatype[0]) & 15U) == 3;
}

// Class 9 with type 1 in its bit field.
bool is_variable_string(std::string_view datatype) {
  return datatype.size() >= 8 && (static_cast<unsigned char>(datatype[0]) & 15U) == 9 &&
         (static_cast<unsigned char>(datatype[1]) & 15U) == 1;
}

}  // namespace rapt::hdf5_fields
