// Reads the fields of a protobuf message one by one: as much of the wire format as SentencePiece's files need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// Reads a message from untrusted bytes. Every length is checked before it is used.
///
///     for (ProtobufReader fields(bytes, name); fields.next();) {
///       if (fields.number() == 1) piece = fields.bytes();
///     }
class ProtobufReader final {
 public:
  /// \param message  name of the message, for error messages: "m.model"
  ProtobufReader(std::string_view message_bytes, std::string message)
      : rest_(message_bytes), message_(std::move(message)) {}

  /// Moves to the next field; false at the end.
  /// \throws DataError  for bytes that are not a field, or end inside one
  bool next();

  std::uint32_t number() const { return number_; }

  /// The field's value. \throws DataError  if it has another wire type
  std::uint64_t integer() const;
  bool boolean() const { return integer() != 0; }
  float number32() const;
  std::string_view bytes() const;

 private:
  enum class Wire : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  std::uint64_t read_varint();
  std::string_view take(std::uint64_t size);
  void require(Wire wire, const char* what) const;
  [[noreturn]] void fail(const std::string& what) const;

  std::string_view rest_;
  std::string message_;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::kVarint;
  std::uint64_t integer_ = 0;
  std::string_view bytes_;
};

}  // namespace rapt
