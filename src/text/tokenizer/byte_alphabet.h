// GPT-2's alphabet: each byte is written as one printable character, so that a JSON vocabulary can hold any bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rapt {

/// The byte's character in UTF-8: itself for `!` to `~`, U+00A1 to U+00AC and U+00AE to U+00FF; the other 68 bytes, in
/// order, are U+0100 to U+0143. A space is `Ġ`, a newline `Ċ`.
const std::string& printable_byte(unsigned char byte);

/// Each byte of the text as its character.
std::string printable_bytes(std::string_view bytes);

/// The inverse; nothing if a character of the text does not stand for a byte.
std::optional<std::string> bytes_of_printable(std::string_view text);

}  // namespace rapt
