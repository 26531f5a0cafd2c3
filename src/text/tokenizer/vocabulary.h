// Token texts and their ids, both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/json.h"

namespace rapt {

/// What a tokenizer file may hold at most: more is refused, because nothing real comes near and memory is allocated by
/// these numbers.
inline constexpr std::size_t kMaxVocabulary = std::size_t{1} << 20;
inline constexpr std::size_t kMaxTokenBytes = 4096;

/// Ids need not be dense here: added tokens may fill the gaps.
class Vocabulary final {
 public:
  using Entry = std::pair<std::string, std::int32_t>;

  /// \param name  the file, for messages
  /// \throws DataError  an id twice, a text twice, a negative or too large id, a text over kMaxTokenBytes
  Vocabulary(std::vector<Entry> entries, const std::string& name);

  /// 1 + the largest id.
  std::int32_t size() const { return static_cast<std::int32_t>(texts_.size()); }
  /// Entries; less than size() if there are gaps.
  std::size_t count() const { return ids_.size(); }
  bool contains(std::int32_t id) const;
  /// Empty if there is no such id.
  std::string_view text(std::int32_t id) const;
  std::optional<std::int32_t> id(std::string_view text) const;

 private:
  std::vector<std::string> texts_;  // never changed after construction: the keys below point into them
  std::vector<bool> present_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
};

/// Reads an object of token texts and ids, as vocab.json has it.
/// \param path  the object's place in the file, for messages
/// \throws DataError
std::vector<Vocabulary::Entry> parse_vocabulary(const Json& json, const std::string& name, const std::string& path);

/// The vocabulary as an object of texts and ids, one entry a line and in the order of ids: files that differ in one
/// token differ in one line.
std::string vocabulary_object(const Vocabulary& vocabulary);

}  // namespace rapt
