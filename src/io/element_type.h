// Element types as files have them: more than tensors compute with (tensor/types.h).
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

/// "F64", "F32", "F16", "BF16", "I64", "I32", "U16", "U8", "BOOL": the names safetensors gives them.
const char* name_of(ElementType type);

/// The file type that holds a tensor's elements bit for bit.
ElementType element_type_of(DType dtype);

/// Bytes of a row-major array, or a DataError `<subject>: ...` if a dimension is negative or the product too large.
/// A dimension of zero makes it zero, however large the others are.
std::uint64_t checked_bytes(std::span<const Dim> shape, ElementType type, const std::string& subject);

/// "[2, 3]", "[]" for a scalar.
std::string shape_text(std::span<const Dim> shape);

/// Elements as f32. F32, F16 and BF16 exactly, subnormals, infinities and NaN payloads included; F64 and integers
/// rounded to the nearest, ties to even.
/// \param from  count * size_of(type) bytes, little-endian, any alignment
void convert_to_f32(ElementType type, const void* from, float* to, std::size_t count);

}  // namespace rapt
