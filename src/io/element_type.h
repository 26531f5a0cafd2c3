// Element types in files: more than tensors compute with (tensor/types.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/types.h"

namespace rapt {

enum class ElementType : std::uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kU16, kU8, kBool };

/// Bytes of one element.
std::size_t size_of(ElementType type);

/// "F64", "F32", "F16", "BF16", "I64", "I32", "U16", "U8", "BOOL": safetensors' names.
const char* name_of(ElementType type);

/// The file type that stores a tensor's elements bit for bit.
ElementType element_type_of(DType dtype);

/// Bytes of a row-major array. Throws the DataError `<subject>: ...` if a dimension is negative or the product is too
/// large. If a dimension is zero, the result is zero, however large the others are.
std::uint64_t checked_bytes(std::span<const Dim> shape, ElementType type, const std::string& subject);

/// "[2, 3]", "[]" for a scalar.
std::string shape_text(std::span<const Dim> shape);

/// Elements as f32. F32, F16 and BF16 are exact, including subnormals, infinities and NaN payloads. F64 and integers
/// are rounded to nearest, ties to even.
/// \param from  count * size_of(type) bytes, little-endian, any alignment
void convert_to_f32(ElementType type, const void* from, float* to, std::size_t count);

}  // namespace rapt
