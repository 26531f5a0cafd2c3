// Types that every file uses: sizes, element types and their names.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace rapt {

/// A size, an index or a count of elements. Signed, so that differences and reverse loops are safe.
using Dim = std::int64_t;

/// A bfloat16 number: the upper half of an f32, with its range and 8 bits of precision. Operands of products are stored
/// in it; everything is computed in f32.
struct Bf16 {
  std::uint16_t bits = 0;

  Bf16() = default;
  /// Rounds to nearest, ties to even. NaN stays NaN, and numbers beyond the largest become infinite.
  explicit Bf16(float x) {
    const auto word = std::bit_cast<std::uint32_t>(x);
    bits = static_cast<std::uint16_t>((x != x ? word | 0x400000u : word + 0x7FFFu + (word >> 16 & 1)) >> 16);
  }
  template <typename T>
  requires std::is_arithmetic_v<T>
  explicit Bf16(T x) : Bf16(static_cast<float>(x)) {}
  template <typename T>
  requires std::is_arithmetic_v<T>
  explicit operator T() const { return static_cast<T>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16)); }
};

/// The type in which elements stored as T are computed.
template <typename T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<Bf16> {
  using type = float;
};
template <typename T>
using Compute = typename ComputeOf<T>::type;

/// Element types of tensors: f32 for training, f64 for checks, bf16 for operands of products, i32 for token ids and
/// offsets.
enum class DType : std::uint8_t { kF32, kF64, kBF16, kI32 };

/// The single list of types that kernels compute on: X(type, enumerator, ...) for each. To add a type, add an
/// enumerator, a line here, its name in types.cpp, and its loads and stores in tensor/simd.h.
#define RAPT_FOR_FLOATS(X, ...) \
  X(float, kF32, __VA_ARGS__)   \
  X(double, kF64, __VA_ARGS__)

/// The same, and the types that are only stored.
#define RAPT_FOR_ELEMENTS(X, ...) \
  RAPT_FOR_FLOATS(X, __VA_ARGS__) \
  X(Bf16, kBF16, __VA_ARGS__)     \
  X(std::int32_t, kI32, __VA_ARGS__)

/// Compiles the function template `function` for each type in RAPT_FOR_FLOATS. Must follow its body.
#define RAPT_INSTANTIATE(function) RAPT_FOR_FLOATS(RAPT_INSTANTIATE_ONE, function)
#define RAPT_INSTANTIATE_ONE(T, kind, function) template decltype(function<T>) function<T>;

/// "f32", "f64", "bf16", "i32".
const char* name_of(DType dtype);

template <typename T>
struct DTypeOf;  // undefined: T is not an element type
#define RAPT_DTYPE_OF(T, kind, ...)             \
  template <>                                   \
  struct DTypeOf<T> {                           \
    static constexpr DType value = DType::kind; \
  };
RAPT_FOR_ELEMENTS(RAPT_DTYPE_OF)
#undef RAPT_DTYPE_OF
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

#define RAPT_CALL_IF(T, kind, ...) \
  if (dtype == DType::kind) return f.template operator()<T>();

/// Calls f.template operator()<float>() or <double>(). Selects the kernel for an element type.
/// \throws std::invalid_argument  for a type that is not in RAPT_FOR_FLOATS
template <typename F>
decltype(auto) dispatch_float(DType dtype, F&& f) {
  RAPT_FOR_FLOATS(RAPT_CALL_IF)
  throw std::invalid_argument(std::string("expected a floating-point tensor, got ") + name_of(dtype));
}

/// The same for every element type.
template <typename F>
decltype(auto) dispatch_element(DType dtype, F&& f) {
  RAPT_FOR_ELEMENTS(RAPT_CALL_IF)
  throw std::invalid_argument("no element type has the number " + std::to_string(static_cast<int>(dtype)));
}
#undef RAPT_CALL_IF

/// Bytes of one element.
inline std::size_t size_of(DType dtype) {
  return dispatch_element(dtype, []<typename T>() { return sizeof(T); });
}

}  // namespace rapt
