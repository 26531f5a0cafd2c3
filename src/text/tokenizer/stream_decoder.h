// Decodes tokens to text one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Turns tokens into text as they are generated. Bytes are returned as soon as they are known to form whole characters;
/// invalid bytes are returned as U+FFFD.
class StreamDecoder final {
 public:
  /// The tokenizer must outlive this.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);

  /// Starts after a text of these tokens. That text is not returned, but the space after its last word is, if words are
  /// spelt `the</w>`.
  void begin_after(std::span<const std::int32_t> ids);

  /// The text that this token completes; may be empty.
  std::string push(std::int32_t id);
  /// Returns what was held back, except the start of a character that the next token would have completed. The next
  /// push then starts a new text.
  std::string finish();

 private:
  std::string release();

  const Tokenizer* tokenizer_;
  bool skip_special_;
  bool is_first_ = true;
  std::string between_;  // the end of the last token's text if another token follows
  std::string if_last_;  // the same if no token follows
  std::string held_;     // the start of a character
};

/// The text that `ids` add to a text that started with the tokens `before`, up to its last whole character. Special
/// tokens are omitted.
std::string decode_after(const Tokenizer& tokenizer, std::span<const std::int32_t> before,
                         std::span<const std::int32_t> ids);

}  // namespace rapt
