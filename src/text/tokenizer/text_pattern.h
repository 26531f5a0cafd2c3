// What a Replace step of a tokenizer.json looks for: a text, or one of the few regular expressions such files have.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "io/json.h"

namespace rapt {

/// A text, or one character again and again, wherever it stands or only at an end of the whole text. Immutable.
///
/// Of regular expressions these are understood: a text without special characters; one character or `\s`, behind it
/// `+`,
/// `{n}` or `{n,}`; each with `\A` in front or `\z` behind. `\t`, `\n`, `\r` and a backslash before a special character
/// are characters.
class TextPattern final {
 public:
  /// A place in a text.
  struct Match {
    std::size_t begin = std::string_view::npos;  ///< npos: none
    std::size_t length = 0;
  };

  /// Reads `{"String": "a"}` or `{"Regex": " {2,}"}`.
  /// \throws DataError  another form, an expression that is not among these, an empty text
  explicit TextPattern(const JsonFields& fields);

  /// The first match that begins at `from` or behind.
  Match find(std::string_view text, std::size_t from) const;

  /// The text with `content` in place of every match, in linear time.
  std::string replace_all(std::string_view text, std::string_view content) const;

  /// Whether a match may have white space in it.
  bool matches_white_space() const;
  /// Whether a match is always of one given character.
  bool is_one_character() const;

  Json to_json() const;

 private:
  void parse(const JsonFields& fields);
  // Bytes of the unit that the text has there; 0: none.
  std::size_t unit_length(std::string_view text) const;

  static constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

  std::string source_;  // as the file has it
  bool is_expression_ = false;
  std::string unit_;  // what is repeated; empty: a white space
  std::size_t least_ = 1, most_ = 1;
  bool at_begin_ = false, at_end_ = false;
};

}  // namespace rapt
