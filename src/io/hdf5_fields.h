// Single fields of HDF5's headers: numbers, the checksum, datatypes. HDF5 File Format Specification Version 3.0,
// section IV.A.2.d for datatypes. For hdf5_reader.cpp only.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "io/element_type.h"

namespace rapt::hdf5_fields {

inline constexpr std::uint64_t kUndefined = ~std::uint64_t{0};  // "no address"

struct Truncated {};  // thrown by Cursor, caught where the subject is known

// Reads little-endian fields from the front of some bytes.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) throw Truncated{};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(width);
    std::memcpy(&value, bytes.data(), width);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint64_t u16() { return number(2); }
  std::uint64_t u32() { return number(4); }
  std::uint64_t u64() { return number(8); }
  std::string_view rest() const { return rest_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

// Whether the last four bytes are the checksum of the bytes before them.
bool checksum_holds(std::string_view bytes);

// Parses a datatype message. Nothing: another type, another byte order, or an unusual layout.
std::optional<ElementType> number_type(std::string_view datatype);
bool is_fixed_string(std::string_view datatype);
bool is_variable_string(std::string_view datatype);

}  // namespace rapt::hdf5_fields
