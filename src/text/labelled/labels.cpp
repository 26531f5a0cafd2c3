#include "text/labelled/labels.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"
#include "tensor/error.h"
#include "text/labelled/texts.h"

namespace rapt {

LabelVocabulary::LabelVocabulary(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!index_.emplace(names_[i], static_cast<std::int32_t>(i)).second) {
      throw std::invalid_argument("labels: each must have its own name, got " + in_quotes(names_[i]) + " twice");
    }
  }
}

LabelVocabulary LabelVocabulary::sorted(const std::set<std::string>& labels) {
  std::vector<std::pair<double, std::string>> numbers;
  for (const std::string& label : labels) {
    const std::optional<double> number = parse_value(label);
    if (!number) return LabelVocabulary(std::vector<std::string>(labels.begin(), labels.end()));
    numbers.emplace_back(*number, label);
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> names;
  names.reserve(numbers.size());
  for (auto& [number, label] : numbers) names.push_back(std::move(label));
  return LabelVocabulary(std::move(names));
}

std::optional<std::int32_t> LabelVocabulary::find(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

std::int32_t LabelVocabulary::index(std::string_view label, const std::string& where) const {
  if (const std::optional<std::int32_t> found = find(label)) return *found;
  const std::string known = joined_first(names_, 12, [](const std::string& name) { return in_quotes(name, 40); });
  throw DataError(where + ": the label must be one of " + known + ", got " + in_quotes(label) +
                  did_you_mean(label, names_));
}

void LabelCollector::add(const std::string& label, const std::string& where) {
  labels_.insert(label);
  if (labels_.size() > LabelVocabulary::kMost) {
    throw DataError(where +
                    ": a data set must have at most 10000 different labels, got more; is this the label column? To "
                    "predict numbers, use --task regress");
  }
}

}  // namespace rapt
