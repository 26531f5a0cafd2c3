#include "train/metrics/ngrams.h"

#include <algorithm>

#include "text/unicode.h"

namespace rapt {

std::vector<std::u32string> words_of(std::u32string_view text) {
  std::vector<std::u32string> words;
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && is_python_space(text[at])) ++at;
    const std::size_t begin = at;
    while (at < text.size() && !is_python_space(text[at])) ++at;
    if (at > begin) words.emplace_back(text.substr(begin, at - begin));
  }
  return words;
}

std::u32string WordNumbers::of(const std::vector<std::u32string>& words) {
  std::u32string numbers;
  for (const std::u32string& word : words) {
    numbers += numbers_.emplace(word, static_cast<char32_t>(numbers_.size())).first->second;
  }
  return numbers;
}

NgramCounts::NgramCounts(std::u32string_view symbols, std::size_t n) {
  if (symbols.size() < n) return;
  total_ = static_cast<std::int64_t>(symbols.size() - n + 1);
  counts_.reserve(symbols.size() - n + 1);
  for (std::size_t i = 0; i + n <= symbols.size(); ++i) ++counts_[symbols.substr(i, n)];
}

std::int64_t NgramCounts::matches(const NgramCounts& other) const {
  std::int64_t matches = 0;
  for (const auto& [ngram, count] : counts_) {
    const auto found = other.counts_.find(ngram);
    if (found != other.counts_.end()) matches += std::min(count, found->second);
  }
  return matches;
}

void NgramCounts::raise_to(const NgramCounts& other) {
  for (const auto& [ngram, count] : other.counts_) {
    std::int32_t& own = counts_[ngram];
    own = std::max(own, count);
  }
}

}  // namespace rapt
