// The classes of a data set or a model, and their indices.
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
  /// The given names in the given order: those of an existing model.
  /// \throws std::invalid_argument  if a name occurs twice
  explicit LabelVocabulary(std::vector<std::string> names);
  /// The distinct labels of a data set, in an order that does not depend on the order of the data: numerically if all
  /// are numbers, else byte by byte.
  static LabelVocabulary sorted(const std::set<std::string>& labels);

  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(std::size_t index) const { return names_.at(index); }
  std::optional<std::int32_t> find(std::string_view name) const;
  /// The class of a label in a file. `where` starts the message.
  /// \throws DataError  for a label that is not among the names
  std::int32_t index(std::string_view label, const std::string& where) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> index_;
};

/// Collects the labels of a data set for LabelVocabulary::sorted.
class LabelCollector final {
 public:
  /// \throws DataError  for more than 10,000 distinct labels: this is not a label column; `where` starts the message
  void add(const std::string& label, const std::string& where);
  LabelVocabulary vocabulary() const { return LabelVocabulary::sorted(labels_); }
  std::size_t size() const { return labels_.size(); }

 private:
  std::set<std::string> labels_;
};

}  // namespace rapt
