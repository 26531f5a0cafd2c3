// Tokens that are searched for in the text itself before it is split into words, such as `<|endoftext|>`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// One entry of tokenizer.json's `added_tokens`.
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false;  ///< only if no word character is next to it
  bool lstrip = false;       ///< includes the white space before it
  bool rstrip = false;       ///< includes the white space after it
  bool normalized = false;   ///< searched for in the normalised text, in its normalised form
  bool special = true;       ///< not part of the text: omitted when decoding without special tokens

  bool operator==(const AddedToken&) const = default;
};

/// Whether special tokens that are spelt out in the text become those tokens or are treated as text.
enum class SpecialTokens { kRecognise, kAsText };

/// Finds a set of texts in another text, the longest one at each position, like Hugging Face's added vocabulary.
class AddedTokenFinder final {
 public:
  struct Pattern {
    std::string text;
    AddedToken token;
  };
  /// A part of the text: the position of a token, or (id -1) the text between tokens.
  struct Segment {
    std::string_view text;
    std::int32_t id = -1;
  };

  /// \param patterns  empty texts are never found; of equal texts, the first one is
  explicit AddedTokenFinder(std::vector<Pattern> patterns);

  /// Splits the text at the tokens found in it. The worst-case time is the length of the text times that of the longest
  /// token.
  std::vector<Segment> split(std::string_view text, SpecialTokens special) const;

 private:
  // The longest pattern that the text starts with, or null.
  const Pattern* longest_match(std::string_view text) const;
  std::size_t next_start(std::string_view text, std::size_t from) const;

  std::vector<Pattern> patterns_;  // sorted by text
  std::array<bool, 256> starts_{};
  int only_start_ = -1;  // the first byte of all patterns, if they share it
};

}  // namespace rapt
