// The pattern of a Replace step in tokenizer.json: a text, or one of the few regular expressions that occur in such
// files.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "io/json.h"

namespace rapt {

/// A text, or a repeated character, anywhere or only at one end of the whole text. Immutable.
///
/// The supported regular expressions are: a text without special characters; one character or `\s`, optionally followed
/// by `+`, `{n}` or `{n,}`; each with `\A` before it or `\z` after it. `\t`, `\n`, `\r` and a backslash before a
/// special character are characters.
class TextPattern final {
 public:
  /// A range in a text.
  struct Match {
    std::size_t begin = std::string_view::npos;  ///< npos: none
    std::size_t length = 0;
  };

  /// Reads `{"String": "a"}` or `{"Regex": " {2,}"}`.
  /// \throws DataError  for another form, an unsupported expression, or an empty text
  explicit TextPattern(const JsonFields& fields);

  /// The first match that starts at or after `from`.
  Match find(std::string_view text, std::size_t from) const;

  /// The text with every match replaced by `content`, in linear time.
  std::string replace_all(std::string_view text, std::string_view content) const;

  /// Whether a match may contain white space.
  bool matches_white_space() const;
  /// Whether a match always consists of one given character.
  bool is_one_character() const;

  Json to_json() const;

 private:
  void parse(const JsonFields& fields);
  // Length in bytes of the unit at this position; 0: none.
  std::size_t unit_length(std::string_view text) const;

  static constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

  std::string source_;  // as in the file
  bool is_expression_ = false;
  std::string unit_;  // the repeated unit; empty: white space
  std::size_t least_ = 1, most_ = 1;
  bool at_begin_ = false, at_end_ = false;
};

}  // namespace rapt
