// Base64 (RFC 4648, section 4), for binary tables in JSON files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rapt {

/// Padded with `=` to a multiple of four characters.
std::string to_base64(std::string_view bytes);

/// Nothing if the text is not canonical Base64: other characters, a wrong length, or left-over bits at the end.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace rapt
