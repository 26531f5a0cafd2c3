#include "io/element_type.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

float half(std::uint16_t bits) {
  float value = 0;
  convert_to_f32(ElementType::kF16, &bits, &value, 1);
  return value;
}

TEST_CASE("halves are converted to the same numbers, worked by hand") {
  CHECK(half(0x3C00) == 1.0F);
  CHECK(half(0xC000) == -2.0F);
  CHECK(half(0x3555) == 0.333251953125F);
  CHECK(half(0x7BFF) == 65504.0F);
  CHECK(half(0x0400) == 0x1p-14F);
  CHECK(half(0x03FF) == 1023.0F * 0x1p-24F);
  CHECK(half(0x0001) == 0x1p-24F);
  CHECK(half(0x8001) == -0x1p-24F);
  CHECK(std::signbit(half(0x8000)));
  CHECK(half(0x7C00) == std::numeric_limits<float>::infinity());
  CHECK(half(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::bit_cast<std::uint32_t>(half(0xFE01)) == 0xFFC02000U);
}

TEST_CASE("all 65,536 halves follow sign * fraction * 2^exponent") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>((bits >> 10U) & 31U);
    const int fraction = static_cast<int>(bits & 1023U);
    if (exponent == 31) continue;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const double expected = (bits & 0x8000U) != 0 ? -magnitude : magnitude;
    if (static_cast<double>(half(static_cast<std::uint16_t>(bits))) != expected) FAIL("half " << bits);
  }
}

TEST_CASE("bfloats are the upper half of a float") {
  const std::vector<std::uint16_t> bits = {0x3F80, 0xC040, 0x7F80, 0x0001, 0xFFC1};
  std::vector<float> values(bits.size());
  convert_to_f32(ElementType::kBF16, bits.data(), values.data(), bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    CHECK(std::bit_cast<std::uint32_t>(values[i]) == static_cast<std::uint32_t>(bits[i]) << 16U);
  }
}

TEST_CASE("f32 keeps its bits; doubles and integers are rounded to the nearest") {
  const std::uint32_t odd_nan = 0x7FA00001;
  float value = 0;
  convert_to_f32(ElementType::kF32, &odd_nan, &value, 1);
  CHECK(std::memcmp(&value, &odd_nan, 4) == 0);
  const double third = 1.0 / 3.0;
  convert_to_f32(ElementType::kF64, &third, &value, 1);
  CHECK(value == 1.0F / 3.0F);
  const std::int64_t large = (std::int64_t{1} << 24) + 1;
  convert_to_f32(ElementType::kI64, &large, &value, 1);
  CHECK(value == 16777216.0F);
  const std::uint8_t yes = 1;
  convert_to_f32(ElementType::kBool, &yes, &value, 1);
  CHECK(value == 1.0F);
}

TEST_CASE("sizes are multiplied without wrapping round") {
  const auto bytes = [](std::vector<Dim> shape) { return checked_bytes(shape, ElementType::kF32, "x"); };
  CHECK(bytes({}) == 4);
  CHECK(bytes({2, 3}) == 24);
  CHECK(bytes({Dim{1} << 62, Dim{1} << 62, 0}) == 0);
  CHECK(message_of<DataError>([&] {
          bytes({Dim{1} << 32, Dim{1} << 32});
        }) == "x: shape [4294967296, 4294967296] of F32 is larger than any file");
  CHECK(message_of<DataError>([&] { bytes({2, -1}); }) == "x: no dimension of a shape may be negative, got [2, -1]");
}

}  // namespace
}  // namespace rapt
