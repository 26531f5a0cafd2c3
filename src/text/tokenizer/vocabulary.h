// Token texts and their ids, in both directions.
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

/// Limits of a tokenizer file. Real files never come close, and memory is allocated by these numbers, so more is
/// rejected.
inline constexpr std::size_t kMaxVocabulary = std::size_t{1} << 20;
inline constexpr std::size_t kMaxTokenBytes = 4096;

/// The beginning of every message about a tokenizer file.
std::string tokenizer_subject(const std::string& name);

/// Ids may have gaps here, which added tokens may fill.
class Vocabulary final {
 public:
  using Entry = std::pair<std::string, std::int32_t>;

  /// \param name  the file, for messages
  /// \throws DataError  for a duplicate id or text, a negative or too large id, or a text over kMaxTokenBytes
  Vocabulary(std::vector<Entry> entries, const std::string& name);

  /// 1 + the largest id.
  std::int32_t size() const { return static_cast<std::int32_t>(texts_.size()); }
  /// Number of entries; less than size() if there are gaps.
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

/// Reads an object of token texts and ids, as in vocab.json.
/// \param path  the object's path in the file, for messages
/// \throws DataError
std::vector<Vocabulary::Entry> parse_vocabulary(const Json& json, const std::string& name, const std::string& path);

/// The vocabulary as an object of texts and ids, one entry per line and ordered by id, so that files that differ in one
/// token differ in one line.
std::string vocabulary_object(const Vocabulary& vocabulary);

}  // namespace rapt
