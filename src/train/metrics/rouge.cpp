#include "train/metrics/rouge.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "io/names.h"
#include "text/unicode.h"
#include "train/metrics/ngrams.h"
#include "train/metrics/porter_stemmer.h"

namespace rapt {
namespace {

constexpr std::pair<RougeKind, const char*> kKinds[] = {{RougeKind::k1, "rouge-1"},
                                                        {RougeKind::k2, "rouge-2"},
                                                        {RougeKind::kL, "rouge-l"},
                                                        {RougeKind::kLsum, "rouge-lsum"}};

bool is_word_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// The words of a text as numbers.
std::u32string numbers_of(std::string_view text, bool stem, WordNumbers& numbers) {
  const std::string lower = full_lower_case(text);
  std::vector<std::u32string> words;
  for (auto at = lower.begin(); at != lower.end();) {
    const auto end = std::find_if_not(at, lower.end(), is_word_byte);
    std::string word(at, end);
    if (stem && word.size() > 3) word = porter_stem(std::move(word));
    if (!word.empty()) words.emplace_back(word.begin(), word.end());
    at = std::find_if(end, lower.end(), is_word_byte);
  }
  return numbers.of(words);
}

RougeScore score_of(double both, double said, double wanted) {
  RougeScore score{share(both, said), share(both, wanted)};
  score.f1 = share(2 * score.precision * score.recall, score.precision + score.recall);
  return score;
}

// Lengths of the longest common subsequences of all starts of both texts: [reference.size() + 1, hypothesis.size() +
// 1].
class CommonLengths final {
 public:
  CommonLengths(std::u32string_view reference, std::u32string_view hypothesis)
      : columns_(hypothesis.size() + 1), lengths_((reference.size() + 1) * columns_) {
    for (std::size_t i = 1; i <= reference.size(); ++i) {
      for (std::size_t j = 1; j <= hypothesis.size(); ++j) {
        lengths_[i * columns_ + j] =
            reference[i - 1] == hypothesis[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
      }
    }
  }
  std::uint32_t at(std::size_t i, std::size_t j) const { return lengths_[i * columns_ + j]; }
  std::uint32_t whole() const { return lengths_.back(); }

 private:
  std::size_t columns_;
  std::vector<std::uint32_t> lengths_;
};

// Marks the words of the reference that belong to one of the longest common subsequences: rouge_score's choice, since
// unions depend on it.
void mark_common(std::u32string_view reference, std::u32string_view hypothesis, std::vector<bool>& marked) {
  const CommonLengths lengths(reference, hypothesis);
  for (std::size_t i = reference.size(), j = hypothesis.size(); i > 0 && j > 0;) {
    if (reference[i - 1] == hypothesis[j - 1]) {
      marked[i - 1] = true;
      --i, --j;
    } else if (lengths.at(i, j - 1) > lengths.at(i - 1, j)) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<std::u32string> lines_of(std::string_view text, bool stem, WordNumbers& numbers) {
  std::vector<std::u32string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(numbers_of(text.substr(0, end), stem, numbers));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A word counts at most as often as it occurs in each text.
RougeScore score_lines(const std::vector<std::u32string>& said, const std::vector<std::u32string>& wanted) {
  std::unordered_map<char32_t, std::pair<int, int>> left;  // in the hypothesis, in the reference
  double said_words = 0, wanted_words = 0, both = 0;
  for (const std::u32string& line : said) {
    said_words += static_cast<double>(line.size());
    for (const char32_t word : line) ++left[word].first;
  }
  for (const std::u32string& line : wanted) {
    wanted_words += static_cast<double>(line.size());
    for (const char32_t word : line) ++left[word].second;
  }
  for (const std::u32string& line : wanted) {
    std::vector<bool> marked(line.size());
    for (const std::u32string& other : said) mark_common(line, other, marked);
    for (std::size_t i = 0; i < line.size(); ++i) {
      auto& [in_said, in_wanted] = left[line[i]];
      if (!marked[i] || in_said == 0 || in_wanted == 0) continue;
      --in_said, --in_wanted;
      ++both;
    }
  }
  return score_of(both, said_words, wanted_words);
}

}  // namespace

RougeScore rouge(RougeKind kind, std::string_view hypothesis, std::string_view reference, bool stem) {
  WordNumbers numbers;
  if (kind == RougeKind::kLsum) {
    return score_lines(lines_of(hypothesis, stem, numbers), lines_of(reference, stem, numbers));
  }
  const std::u32string said = numbers_of(hypothesis, stem, numbers), wanted = numbers_of(reference, stem, numbers);
  if (kind == RougeKind::kL) {
    return score_of(CommonLengths(wanted, said).whole(), static_cast<double>(said.size()),
                    static_cast<double>(wanted.size()));
  }
  const std::size_t n = kind == RougeKind::k1 ? 1 : 2;
  const NgramCounts found(said, n), gold(wanted, n);
  return score_of(static_cast<double>(found.matches(gold)), static_cast<double>(found.total()),
                  static_cast<double>(gold.total()));
}

std::string_view Rouge::name() const { return name_in(kKinds, kind_); }

std::string Rouge::settings() const { return stem_ ? "stem:yes" : "stem:no"; }

std::vector<double> Rouge::compare(std::string_view hypothesis, std::span<const std::string> references) const {
  RougeScore best;
  for (const std::string& reference : references) {
    const RougeScore score = rouge(kind_, hypothesis, reference, stem_);
    if (score.f1 > best.f1) best = score;
  }
  return {best.f1, best.precision, best.recall, 1};
}

double Rouge::score(std::span<const double> sums) const { return 100 * share(sums[0], sums[3]); }

std::string Rouge::details(std::span<const double> sums) const {
  return fmt::format("precision {:.2f}, recall {:.2f}", 100 * share(sums[1], sums[3]), 100 * share(sums[2], sums[3]));
}

}  // namespace rapt
