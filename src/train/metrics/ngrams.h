// Words and n-grams of two texts that are compared: the counts behind BLEU, chrF and ROUGE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rapt {

/// The parts of a text between white space, as Python's str.split().
std::vector<std::u32string> words_of(std::u32string_view text);

/// Numbers for words: equal words have equal numbers, so that a sequence of words can be compared like a text.
class WordNumbers final {
 public:
  std::u32string of(const std::vector<std::u32string>& words);

 private:
  std::unordered_map<std::u32string, char32_t> numbers_;
};

/// How often each n-gram occurs. The keys are parts of the text that was counted, which must outlive the counts.
class NgramCounts final {
 public:
  NgramCounts() = default;
  /// \param symbols  characters, or numbers of words
  NgramCounts(std::u32string_view symbols, std::size_t n);

  std::int64_t total() const { return total_; }  ///< number of n-grams, each as often as it occurs
  /// The number of n-grams in both, each at most as often as in the one where it is rarer.
  std::int64_t matches(const NgramCounts& other) const;
  /// Raises each count to that of `other`: the counts of several references in BLEU. total() stays.
  void raise_to(const NgramCounts& other);

 private:
  std::unordered_map<std::u32string_view, std::int32_t> counts_;
  std::int64_t total_ = 0;
};

}  // namespace rapt
