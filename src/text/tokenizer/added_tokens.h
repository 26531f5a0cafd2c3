// Tokens that are looked for in the text itself, before it is cut into words: `<|endoftext|>` and its like.
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
  bool single_word = false;  ///< only where no word character stands beside it
  bool lstrip = false;       ///< takes the white space in front of it
  bool rstrip = false;       ///< takes the white space behind it
  bool normalized = false;   ///< looked for in the normalised text, in its normalised form
  bool special = true;       ///< not part of the text: left out when decoding without special tokens

  bool operator==(const AddedToken&) const = default;
};

/// Whether special tokens that a text spells out become those tokens or are text like any other.
enum class SpecialTokens { kRecognise, kAsText };

/// Finds a set of texts in another, at each place the longest, as Hugging Face's added vocabulary does.
class AddedTokenFinder final {
 public:
  struct Pattern {
    std::string text;
    AddedToken token;
  };
  /// A part of the text: a token's place, or (id -1) what stands between tokens.
  struct Segment {
    std::string_view text;
    std::int32_t id = -1;
  };

  /// \param patterns  empty texts are never found; of equal texts the first one is
  explicit AddedTokenFinder(std::vector<Pattern> patterns);

  /// Cuts the text at the tokens found in it. Time is at worst the text's length times the longest token's.
  std::vector<Segment> split(std::string_view text, SpecialTokens special) const;

 private:
  // The longest pattern that the text begins with, or null.
  const Pattern* longest_match(std::string_view text) const;
  std::size_t next_start(std::string_view text, std::size_t from) const;

  std::vector<Pattern> patterns_;  // sorted by text
  std::array<bool, 256> starts_{};
  int only_start_ = -1;  // the first byte of all patterns, if they share it
};

}  // namespace rapt
