// Text out of tokens that come one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Turns tokens into text as they are generated. Bytes come out as soon as they are known to be whole characters; what
/// can be no character comes out as U+FFFD.
class StreamDecoder final {
 public:
  /// The tokenizer must outlive this.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);

  /// Begins after a text of these tokens, which itself does not come out; the space after its last word does, where
  /// words are spelt `the</w>`.
  void begin_after(std::span<const std::int32_t> ids);

  /// The text that this token completes; may be empty.
  std::string push(std::int32_t id);
  /// What was held back, but for the beginning of a character, which the next token would have completed. After it,
  /// the next push begins a new text.
  std::string finish();

 private:
  std::string release();

  const Tokenizer* tokenizer_;
  bool skip_special_;
  bool is_first_ = true;
  std::string between_;  // the end of the last token's text if another token follows
  std::string if_last_;  // the same if none does
  std::string held_;     // the beginning of a character
};

/// The text that `ids` add to one that began with the tokens `before`, to its last whole character. Special tokens are
/// left out.
std::string decode_after(const Tokenizer& tokenizer, std::span<const std::int32_t> before,
                         std::span<const std::int32_t> ids);

}  // namespace rapt
