// Types that every file uses: sizes, element types and their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace rapt {

/// A size, an index or a count of elements. Signed, so that differences and reverse loops are safe.
using Dim = std::int64_t;

/// Element types of tensors: f32 for training, f64 for checks, i32 for token ids and offsets.
enum class DType : std::uint8_t { kF32, kF64, kI32 };

/// "f32", "f64", "i32".
const char* name_of(DType dtype);

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) { return dtype == DType::kF64 ? 8 : 4; }

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kF32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kF64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::kI32;
};
template <typename T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

/// What a kernel does with an output that may already have a value: backward kernels assign the first gradient that
/// reaches a tensor and add the following ones.
enum class Write : std::uint8_t { kAssign, kAdd };

/// Shapes that do not fit an operation. The message names the operation, the requirement and the actual shape.
class ShapeError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Calls f.template operator()<float>() or <double>(). Selects the kernel for an element type.
template <typename F>
decltype(auto) dispatch_float(DType dtype, F&& f) {
  if (dtype == DType::kF32) return f.template operator()<float>();
  if (dtype == DType::kF64) return f.template operator()<double>();
  throw std::invalid_argument(std::string("expected a floating-point tensor, got ") + name_of(dtype));
}

}  // namespace rapt
