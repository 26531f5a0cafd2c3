// SentencePiece's replacement table for normalisation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// A `precompiled_charsmap`: texts and their replacements, as a double array (Aoe 1989, "An Efficient Digital Search
/// Algorithm by Using a Double-Array Structure") in the layout of darts-clone. Immutable.
///
/// The table comes from files, so each step of a search is checked; a step that leads out of the table finds nothing.
class CharsMap final {
 public:
  struct Match {
    std::size_t length = 0;        ///< length of the text in bytes; 0: not in the table
    std::string_view replacement;  ///< valid as long as the table exists
  };

  /// \param bytes  the table's size as four little-endian bytes, the table, and the replacements, each ended by a NUL
  /// \param name   the file, for messages
  /// \throws DataError  for a size that does not fit, or a replacement that is not UTF-8 or has more than 256 bytes
  CharsMap(std::string bytes, const std::string& name);
  CharsMap(const CharsMap&) = delete;  // replacements_ points into bytes_
  CharsMap& operator=(const CharsMap&) = delete;

  /// The shortest, or the longest, text of the table that is a prefix of `text`.
  Match shortest_match(std::string_view text) const;
  Match longest_match(std::string_view text) const;

  const std::string& bytes() const { return bytes_; }

 private:
  template <typename Visit>
  void for_each_match(std::string_view text, Visit&& visit) const;

  std::string bytes_;
  std::vector<std::uint32_t> units_;
  std::string_view replacements_;
};

}  // namespace rapt
