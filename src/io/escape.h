// Makes text from files safe to print: no control character, invalid UTF-8 or direction override reaches a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// Escapes what a terminal would interpret: control characters (`\n`, `\t`, else `\x1b`), bytes that are not UTF-8
/// (`\xff`) and characters that change the writing direction (`\u{202e}`). Everything else is kept, including accents.
std::string escape_for_terminal(std::string_view text);

/// The same in double quotes, truncated after about `limit` bytes with "...": for values in messages.
std::string in_quotes(std::string_view text, std::size_t limit = 80);

/// A word as a POSIX shell reads it: in single quotes if it needs them. For commands in messages.
std::string for_shell(std::string_view word);

/// "512 B", "12.3 KiB", "3.1 GiB": three figures, for messages.
std::string readable_bytes(std::uint64_t bytes);

}  // namespace rapt
