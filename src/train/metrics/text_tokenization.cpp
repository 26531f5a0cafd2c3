#include "train/metrics/text_tokenization.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"
#include "train/metrics/ngrams.h"

namespace rapt {
namespace {

bool is_digit(char32_t code) { return code >= '0' && code <= '9'; }
bool is_stop(char32_t code) { return code == '.' || code == ','; }

// The ASCII characters that mteval separates from words: all punctuation but ' - . and ,
bool is_separate(char32_t code) {
  return (code >= '{' && code <= '~') || (code >= '[' && code <= '`') || (code >= ' ' && code <= '&') ||
         (code >= '(' && code <= '+') || (code >= ':' && code <= '@') || code == '/';
}

// The general categories P* and N*; in ASCII, kPunctuation includes symbols.
bool is_unicode_punctuation(char32_t code) { return (character_class(code) & kPunctuation) != 0 && !is_symbol(code); }
bool is_unicode_number(char32_t code) { return (character_class(code) & kNumber) != 0; }

std::u32string replaced(std::u32string_view text, std::u32string_view from, std::u32string_view to) {
  std::u32string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::u32string_view::npos) return out;
    out += to;
    at = found + from.size();
  }
}

// One pass over each of several replacements, in their order: "&amp;lt;" becomes "<".
std::u32string all_replaced(std::u32string text,
                            std::initializer_list<std::pair<std::u32string_view, std::u32string_view>> replacements) {
  for (const auto& [from, to] : replacements) {
    if (text.find(from) != std::u32string::npos) text = replaced(text, from, to);
  }
  return text;
}

template <typename Is>
std::u32string surrounded(std::u32string_view text, Is is) {
  std::u32string out;
  for (const char32_t code : text) {
    if (is(code)) {
      (out += U' ') += code;
      out += U' ';
    } else {
      out += code;
    }
  }
  return out;
}

// re.sub("(first)(second)", ...): pairs of neighbours, from the left, each character in at most one pair. A space
// follows both, precedes both, or, kBetween, separates them and follows the second.
enum class Spaces { kBetweenAndAfter, kBeforeAndBetween };
template <typename First, typename Second>
std::u32string pairs_separated(std::u32string_view text, First first, Second second, Spaces spaces) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    if (spaces == Spaces::kBeforeAndBetween) out += U' ';
    (out += text[i]) += U' ';
    out += text[++i];
    if (spaces == Spaces::kBetweenAndAfter) out += U' ';
  }
  return out;
}

// Full stops and commas that are not inside numbers, and hyphens after digits.
std::u32string stops_separated(std::u32string text) {
  const auto no_digit = [](char32_t code) { return !is_digit(code); };
  text = pairs_separated(text, no_digit, is_stop, Spaces::kBetweenAndAfter);
  text = pairs_separated(text, is_stop, no_digit, Spaces::kBeforeAndBetween);
  return pairs_separated(
      text, is_digit, [](char32_t code) { return code == '-'; }, Spaces::kBetweenAndAfter);
}

std::u32string tokenize_13a(std::u32string_view raw) {
  const std::u32string text = all_replaced(std::u32string(raw), {{U"<skipped>", U""},
                                                                 {U"-\n", U""},
                                                                 {U"\n", U" "},
                                                                 {U"&quot;", U"\""},
                                                                 {U"&amp;", U"&"},
                                                                 {U"&lt;", U"<"},
                                                                 {U"&gt;", U">"}});
  return stops_separated(surrounded(U' ' + text + U' ', is_separate));
}

std::u32string tokenize_international(std::u32string_view raw) {
  const auto no_number = [](char32_t code) { return !is_unicode_number(code); };
  std::u32string text = pairs_separated(raw, no_number, is_unicode_punctuation, Spaces::kBetweenAndAfter);
  text = pairs_separated(text, is_unicode_punctuation, no_number, Spaces::kBeforeAndBetween);
  return surrounded(text, is_symbol);
}

bool is_asian_punctuation(char32_t code) {
  return code == 0x3001 || code == 0x3002 || (code >= 0x3008 && code <= 0x3011) || (code >= 0x3014 && code <= 0x301F) ||
         (code >= 0xFF61 && code <= 0xFF65) || code == 0x30FB;
}
bool is_wide_punctuation(char32_t code) {
  return std::u32string_view(U"\uFF0E\uFF0C\uFF1F\uFF1A\uFF1B\uFF01\uFF02\uFF08\uFF09").find(code) !=
         std::u32string_view::npos;
}

// Ideographs, strokes, radicals and compatibility forms. The range that begins at 3200 ends at 3F22 in sacreBLEU, too,
// although Tercom's block ends at 32FF. Its patterns for Hiragana and Katakana never match, because the text begins
// with a space by then.
bool is_asian_character(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3200 && code <= 0x4DBF) ||
         (code >= 0x31C0 && code <= 0x31EF) || (code >= 0x2E80 && code <= 0x2EFF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0xFE30 && code <= 0xFE4F);
}

std::u32string normalize_for_ter(std::u32string_view raw, bool asian) {
  std::u32string text = all_replaced(
      std::u32string(raw),
      {{U"\n-", U""}, {U"\n", U" "}, {U"&quot;", U"\""}, {U"&amp;", U"&"}, {U"&lt;", U"<"}, {U"&gt;", U">"}});
  text = surrounded(U' ' + text + U' ', is_separate);
  text = stops_separated(replaced(text, U"'s ", U" 's "));
  if (!asian) return text;
  return surrounded(text, [](char32_t code) {
    return is_asian_character(code) || is_asian_punctuation(code) || is_wide_punctuation(code);
  });
}

}  // namespace

std::vector<std::u32string> bleu_words(std::u32string_view text, BleuTokenization tokenization) {
  while (!text.empty() && is_python_space(text.back())) text.remove_suffix(1);
  switch (tokenization) {
    case BleuTokenization::k13a:
      return words_of(tokenize_13a(text));
    case BleuTokenization::kIntl:
      return words_of(tokenize_international(text));
    case BleuTokenization::kChar:
      return words_of(surrounded(text, [](char32_t) { return true; }));
    case BleuTokenization::kNone:
      break;
  }
  return words_of(text);
}

std::vector<std::u32string> ter_words(std::u32string_view text, const TerTokenization& tokenization) {
  while (!text.empty() && is_python_space(text.back())) text.remove_suffix(1);
  std::u32string out = tokenization.normalize ? normalize_for_ter(text, tokenization.asian) : std::u32string(text);
  if (!tokenization.punctuation) {
    std::erase_if(out, [&](char32_t code) {
      return std::u32string_view(U".,?:;!\"()").find(code) != std::u32string_view::npos ||
             (tokenization.asian && (is_asian_punctuation(code) || is_wide_punctuation(code)));
    });
  }
  return words_of(out);
}

}  // namespace rapt
