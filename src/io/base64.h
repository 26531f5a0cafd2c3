// Bytes as text of 64 characters (RFC 4648, section 4): how JSON files carry binary tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rapt {

/// With `=` at the end up to a multiple of four characters.
std::string to_base64(std::string_view bytes);

/// Nothing if the text is not what to_base64 gives: other characters, a wrong length, bits left over at the end.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace rapt
