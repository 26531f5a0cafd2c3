#include "train/metrics/porter_stemmer.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace rapt {
namespace {

constexpr std::pair<std::string_view, std::string_view> kIrregular[] = {
    {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
    {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
    {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
    {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};

// For each letter, whether it is a consonant: not a vowel, nor a y after a consonant.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> is(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool vowel = std::string_view("aeiou").find(word[i]) != std::string_view::npos;
    is[i] = word[i] == 'y' ? i == 0 || !is[i - 1] : !vowel;
  }
  return is;
}

// The paper's m: how often a vowel is followed by a consonant.
int measure(std::string_view stem) {
  const std::vector<bool> consonant = consonants(stem);
  int m = 0;
  for (std::size_t i = 1; i < stem.size(); ++i) m += !consonant[i - 1] && consonant[i] ? 1 : 0;
  return m;
}

bool has_vowel(std::string_view stem) {
  for (const bool consonant : consonants(stem)) {
    if (!consonant) return true;
  }
  return false;
}

// *d: a double consonant at the end.
bool ends_double(std::string_view word) {
  const std::size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && consonants(word)[n - 1];
}

// *o: consonant, vowel, consonant at the end, the last not w, x or y; and, beyond the paper, words like "at".
bool ends_short(std::string_view word) {
  const std::size_t n = word.size();
  if (n < 2) return false;
  const std::vector<bool> consonant = consonants(word);
  if (n == 2) return !consonant[0] && consonant[1];
  return consonant[n - 3] && !consonant[n - 2] && consonant[n - 1] &&
         std::string_view("wxy").find(word[n - 1]) == std::string_view::npos;
}

std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}

struct Rule {
  std::string_view suffix, replacement;
};

// The first rule whose suffix the word has decides; it applies if the rest has more than `least` in measure.
std::string apply(const std::string& word, std::span<const Rule> rules, int least) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const std::string_view stem = without(word, rule.suffix);
    return measure(stem) > least ? std::string(stem).append(rule.replacement) : word;
  }
  return word;
}

std::string step_1a(const std::string& word) {
  if (word.ends_with("ies") && word.size() == 4) return word.substr(0, 3);
  if (word.ends_with("sses") || word.ends_with("ies")) return word.substr(0, word.size() - 2);
  return word.ends_with("s") && !word.ends_with("ss") ? word.substr(0, word.size() - 1) : word;
}

std::string step_1b(const std::string& word) {
  if (word.ends_with("ied")) return word.substr(0, word.size() - (word.size() == 4 ? 1 : 2));
  if (word.ends_with("eed")) return measure(without(word, "eed")) > 0 ? word.substr(0, word.size() - 1) : word;
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix) || !has_vowel(without(word, suffix))) continue;
    const std::string stem(without(word, suffix));
    if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) return stem + "e";
    if (ends_double(stem)) {
      const bool stays = std::string_view("lsz").find(stem.back()) != std::string_view::npos;
      return stays ? stem : stem.substr(0, stem.size() - 1);
    }
    return measure(stem) == 1 && ends_short(stem) ? stem + "e" : stem;
  }
  return word;
}

std::string step_1c(std::string word) {
  if (word.size() > 2 && word.back() == 'y' && consonants(word)[word.size() - 2]) word.back() = 'i';
  return word;
}

std::string step_2(const std::string& word) {
  if (word.ends_with("alli") && measure(without(word, "alli")) > 0) return step_2(word.substr(0, word.size() - 2));
  static constexpr Rule kRules[] = {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
                                    {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
                                    {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
                                    {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
                                    {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
                                    {"fulli", "ful"}};
  // The l of -logi belongs to the stem, so that "geologi" is long enough.
  if (word.ends_with("logi")) return measure(without(word, "ogi")) > 0 ? word.substr(0, word.size() - 1) : word;
  return apply(word, kRules, 0);
}

std::string step_3(const std::string& word) {
  static constexpr Rule kRules[] = {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"},
                                    {"ical", "ic"},  {"ful", ""},   {"ness", ""}};
  return apply(word, kRules, 0);
}

std::string step_4(const std::string& word) {
  static constexpr Rule kRules[] = {{"al", ""},   {"ance", ""}, {"ence", ""},  {"er", ""},   {"ic", ""},  {"able", ""},
                                    {"ible", ""}, {"ant", ""},  {"ement", ""}, {"ment", ""}, {"ent", ""}, {"ou", ""},
                                    {"ism", ""},  {"ate", ""},  {"iti", ""},   {"ous", ""},  {"ive", ""}, {"ize", ""}};
  if (!word.ends_with("ion")) return apply(word, kRules, 1);
  const std::string_view stem = without(word, "ion");
  return measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't') ? std::string(stem) : word;
}

std::string step_5(std::string word) {
  if (word.ends_with("e")) {
    const std::string_view stem = without(word, "e");
    if (const int m = measure(stem); m > 1 || (m == 1 && !ends_short(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(without(word, "l")) > 1) word.pop_back();
  return word;
}

}  // namespace

std::string porter_stem(std::string word) {
  for (const auto& [irregular, stem] : kIrregular) {
    if (word == irregular) return std::string(stem);
  }
  if (word.size() <= 2) return word;
  return step_5(step_4(step_3(step_2(step_1c(step_1b(step_1a(word)))))));
}

}  // namespace rapt
