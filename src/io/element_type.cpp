#include "io/element_type.h"

#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "io/joined.h"
#include "tensor/error.h"

namespace rapt {

// Files are little-endian and are read by copying bytes.
static_assert(std::endian::native == std::endian::little, "rapt reads and writes little-endian files by memory copies");

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::kF64:
    case ElementType::kI64:
      return 8;
    case ElementType::kF32:
    case ElementType::kI32:
      return 4;
    case ElementType::kF16:
    case ElementType::kBF16:
    case ElementType::kU16:
      return 2;
    case ElementType::kU8:
    case ElementType::kBool:
      return 1;
  }
  throw std::invalid_argument("size_of: unknown element type");
}

const char* name_of(ElementType type) {
  switch (type) {
    case ElementType::kF64:
      return "F64";
    case ElementType::kF32:
      return "F32";
    case ElementType::kF16:
      return "F16";
    case ElementType::kBF16:
      return "BF16";
    case ElementType::kI64:
      return "I64";
    case ElementType::kI32:
      return "I32";
    case ElementType::kU16:
      return "U16";
    case ElementType::kU8:
      return "U8";
    case ElementType::kBool:
      return "BOOL";
  }
  throw std::invalid_argument("name_of: unknown element type");
}

ElementType element_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return ElementType::kF32;
    case DType::kF64:
      return ElementType::kF64;
    case DType::kBF16:
      return ElementType::kBF16;
    case DType::kI32:
      return ElementType::kI32;
  }
  throw std::invalid_argument("element_type_of: unknown tensor type");
}

std::string shape_text(std::span<const Dim> shape) {
  return "[" + joined(shape, ", ", [](Dim size) { return std::to_string(size); }) + "]";
}

std::uint64_t checked_bytes(std::span<const Dim> shape, ElementType type, const std::string& subject) {
  bool empty = false;
  for (const Dim dim : shape) {
    if (dim < 0) {
      throw DataError(subject + ": no dimension of a shape may be negative, got " + shape_text(shape));
    }
    empty = empty || dim == 0;
  }
  if (empty) return 0;
  std::uint64_t bytes = size_of(type);
  for (const Dim dim : shape) {
    // Signed 63 bits, so that every size and every sum of two sizes is also an offset.
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &bytes) ||
        bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw DataError(subject + ": shape " + shape_text(shape) + " of " + name_of(type) + " is larger than any file");
    }
  }
  return bytes;
}

// IEEE 754 half: 1 sign, 5 exponent (bias 15), 10 fraction bits.
static float half_to_f32(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13U));  // infinity, NaN
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23U) | (fraction << 13U));
  // Subnormal: fraction * 2^-24, exact in f32.
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

template <typename Stored, typename Convert>
static void convert_each(const void* from, float* to, std::size_t count, Convert convert) {
  const auto* bytes = static_cast<const char*>(from);
  for (std::size_t i = 0; i < count; ++i) {
    Stored value{};
    std::memcpy(&value, bytes + i * sizeof(Stored), sizeof(Stored));
    to[i] = convert(value);
  }
}

void convert_to_f32(ElementType type, const void* from, float* to, std::size_t count) {
  const auto cast = [](auto value) { return static_cast<float>(value); };
  switch (type) {
    case ElementType::kF64:
      return convert_each<double>(from, to, count, cast);
    case ElementType::kF32:
      if (count > 0) std::memcpy(to, from, count * sizeof(float));
      return;
    case ElementType::kF16:
      return convert_each<std::uint16_t>(from, to, count, half_to_f32);
    case ElementType::kBF16:
      return convert_each<Bf16>(from, to, count, cast);
    case ElementType::kI64:
      return convert_each<std::int64_t>(from, to, count, cast);
    case ElementType::kI32:
      return convert_each<std::int32_t>(from, to, count, cast);
    case ElementType::kU16:
      return convert_each<std::uint16_t>(from, to, count, cast);
    case ElementType::kU8:
      return convert_each<std::uint8_t>(from, to, count, cast);
    case ElementType::kBool:
      return convert_each<std::uint8_t>(from, to, count, [](std::uint8_t v) { return v != 0 ? 1.0F : 0.0F; });
  }
  throw std::invalid_argument("convert_to_f32: unknown element type");
}

}  // namespace rapt
