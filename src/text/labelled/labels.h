// Which classes there are, and their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rapt {

/// The names of a model's classes; a class is the index of its name.
class LabelVocabulary final {
 public:
  static constexpr std::size_t kMost = 10'000;

  LabelVocabulary() = default;
  /// The given names in the given order: those of a model that exists.
  /// \throws std::invalid_argument  a name twice
  explicit LabelVocabulary(std::vector<std::string> names);
  /// The labels of a data set, each once. Their order does not depend on the data's: where all are numbers they are
  /// sorted as numbers, else byte by byte.
  static LabelVocabulary sorted(const std::set<std::string>& labels);

  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(std::size_t index) const { return names_.at(index); }
  std::optional<std::int32_t> find(std::string_view name) const;
  /// The class of a label that a file has. `where` begins the message.
  /// \throws DataError  a label that is not among the names
  std::int32_t index(std::string_view label, const std::string& where) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> index_;
};

/// Gathers the labels of a data set for LabelVocabulary::sorted.
class LabelCollector final {
 public:
  /// \throws DataError  more than 10,000 different labels: the column is no label; `where` begins the message
  void add(const std::string& label, const std::string& where);
  LabelVocabulary vocabulary() const { return LabelVocabulary::sorted(labels_); }
  std::size_t size() const { return labels_.size(); }

 private:
  std::set<std::string> labels_;
};

}  // namespace rapt
