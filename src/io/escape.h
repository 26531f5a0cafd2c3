// Text from files, made safe to show: no control character, invalid UTF-8 or direction override reaches a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// Replaces what a terminal would act on: control characters (`\n`, `\t`, else `\x1b`), bytes that are not UTF-8
/// (`\xff`) and characters that turn the direction of writing (`\u{202e}`). Everything else, accents included, stays.
std::string escape_for_terminal(std::string_view text);

/// The same in double quotes, cut after about `limit` bytes and then ending in "...": how a message shows a value.
std::string in_quotes(std::string_view text, std::size_t limit = 80);

/// A word as a POSIX shell takes it: in single quotes where it needs some. For commands that a message tells to type.
std::string for_shell(std::string_view word);

/// "512 B", "12.3 KiB", "3.1 GiB": three figures, for messages.
std::string readable_bytes(std::uint64_t bytes);

}  // namespace rapt
