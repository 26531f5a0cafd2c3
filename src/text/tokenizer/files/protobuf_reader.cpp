#include "text/tokenizer/files/protobuf_reader.h"

#include <bit>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t key = read_varint();
  if (key >> 32 != 0 || key >> 3 == 0) fail("a field's number must be from 1 to 536870911, got another");
  number_ = static_cast<std::uint32_t>(key >> 3);
  wire_ = static_cast<Wire>(key & 7);
  switch (wire_) {
    case Wire::kVarint:
      integer_ = read_varint();
      return true;
    case Wire::kFixed64:
      bytes_ = take(8);
      return true;
    case Wire::kBytes:
      bytes_ = take(read_varint());
      return true;
    case Wire::kFixed32:
      bytes_ = take(4);
      return true;
  }
  fail("field " + std::to_string(number_) + " must have wire type 0, 1, 2 or 5, got " + std::to_string(key & 7));
}

std::uint64_t ProtobufReader::read_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number must have at most 10 bytes, got more");
}

std::string_view ProtobufReader::take(std::uint64_t size) {
  if (size > rest_.size()) {
    fail("a field must end before the message does, got one that wants " + std::to_string(size) + " bytes of " +
         std::to_string(rest_.size()));
  }
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(taken.size());
  return taken;
}

void ProtobufReader::require(Wire wire, const char* what) const {
  if (wire_ != wire) fail("field " + std::to_string(number_) + " must be " + what + ", got another type");
}

std::uint64_t ProtobufReader::integer() const {
  require(Wire::kVarint, "an integer");
  return integer_;
}

float ProtobufReader::number32() const {
  require(Wire::kFixed32, "a number of 32 bits");
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    bits |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
  }
  return std::bit_cast<float>(bits);
}

std::string_view ProtobufReader::bytes() const {
  require(Wire::kBytes, "bytes");
  return bytes_;
}

void ProtobufReader::fail(const std::string& what) const {
  throw DataError("tokenizer: " + escape_for_terminal(message_) + " is damaged or not a SentencePiece model: " + what);
}

}  // namespace rapt
