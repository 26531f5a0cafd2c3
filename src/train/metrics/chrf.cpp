#include "train/metrics/chrf.h"

#include <fmt/format.h>

#include "text/unicode.h"
#include "text/utf8.h"
#include "train/metrics/ngrams.h"

namespace rapt {
namespace {

bool is_ascii_punctuation(char32_t code) { return code < 128 && (character_class(code) & kPunctuation) != 0; }

// The words of a text, with one punctuation character separated from the end or, if there is none, from the start.
std::vector<std::u32string> chrf_words(std::u32string_view text) {
  std::vector<std::u32string> words;
  for (const std::u32string& word : words_of(text)) {
    if (word.size() > 1 && is_ascii_punctuation(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (word.size() > 1 && is_ascii_punctuation(word.front())) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

// A text as its two kinds of n-grams see it.
struct Symbols {
  std::u32string characters, words;
};

Symbols symbols_of(std::string_view text, const ChrfOptions& options, WordNumbers& numbers) {
  std::u32string characters = characters_of(options.lowercase ? full_lower_case(text) : std::string(text));
  Symbols symbols;
  if (options.words > 0) symbols.words = numbers.of(chrf_words(characters));
  if (!options.white_space) std::erase_if(characters, is_python_space);
  symbols.characters = std::move(characters);
  return symbols;
}

std::vector<NgramCounts> counts_of(const Symbols& symbols, const ChrfOptions& options) {
  std::vector<NgramCounts> counts;
  for (std::size_t n = 1; n <= options.characters; ++n) counts.emplace_back(symbols.characters, n);
  for (std::size_t n = 1; n <= options.words; ++n) counts.emplace_back(symbols.words, n);
  return counts;
}

}  // namespace

std::string Chrf::settings() const {
  return fmt::format("case:{}|eff:{}|nc:{}|nw:{}|space:{}", options_.lowercase ? "lc" : "mixed",
                     options_.every_order ? "no" : "yes", options_.characters, options_.words,
                     options_.white_space ? "yes" : "no");
}

std::vector<double> Chrf::compare(std::string_view hypothesis, std::span<const std::string> references) const {
  WordNumbers numbers;
  const Symbols said = symbols_of(hypothesis, options_, numbers);
  const std::vector<NgramCounts> found = counts_of(said, options_);
  std::vector<double> best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const Symbols wanted = symbols_of(reference, options_, numbers);
    const std::vector<NgramCounts> gold = counts_of(wanted, options_);
    std::vector<double> statistics;
    for (std::size_t n = 0; n < found.size(); ++n) {
      // N-grams of an order that the reference is too short for are not mistakes.
      statistics.push_back(static_cast<double>(gold[n].total() > 0 ? found[n].total() : 0));
      statistics.push_back(static_cast<double>(gold[n].total()));
      statistics.push_back(static_cast<double>(found[n].matches(gold[n])));
    }
    const double reached = score(statistics);
    if (reached > best_score) {
      best_score = reached;
      best = std::move(statistics);
    }
  }
  return best;
}

double Chrf::score(std::span<const double> sums) const {
  constexpr double kSmall = 1e-16;
  const double factor = options_.beta * options_.beta;
  double precisions = 0, recalls = 0, scores = 0, orders = 0;
  for (std::size_t n = 0; n < options_.characters + options_.words; ++n) {
    const double said = sums[3 * n], wanted = sums[3 * n + 1], both = sums[3 * n + 2];
    const double precision = said > 0 ? both / said : kSmall, recall = wanted > 0 ? both / wanted : kSmall;
    const double denominator = factor * precision + recall;
    scores += denominator > 0 ? (1 + factor) * precision * recall / denominator : kSmall;
    if (said > 0 && wanted > 0) {
      precisions += precision;
      recalls += recall;
      ++orders;
    }
  }
  if (options_.every_order) return 100 * scores / static_cast<double>(options_.characters + options_.words);
  const double precision = share(precisions, orders), recall = share(recalls, orders);
  return 100 * share((1 + factor) * precision * recall, factor * precision + recall);
}

}  // namespace rapt
