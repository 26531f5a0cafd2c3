#include "decode/fill_mask.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "decode/sampler.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/post_processor.h"

namespace rapt {
namespace {

constexpr std::string_view kSpellings[] = {"[MASK]", "<mask>"};

struct Gap {
  std::size_t begin = 0, length = 0;
};

std::vector<Gap> gaps_of(const std::string& text, const std::string& own) {
  std::vector<Gap> gaps;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    for (const std::string_view spelling : {std::string_view(own), kSpellings[0], kSpellings[1]}) {
      if (length == 0 && text.compare(at, spelling.size(), spelling) == 0) length = spelling.size();
    }
    if (length > 0) gaps.push_back({at, length});
    at += std::max<std::size_t>(1, length);
  }
  return gaps;
}

// The text with `words` in place of its masks. A piece of a word ("##ing") joins the word before it.
std::string with_words(const std::string& text, const std::vector<Gap>& gaps, const std::vector<std::string>& words) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    result.append(text, at, gaps[i].begin - at);
    std::string_view word = words[i];
    if (word.starts_with("##") && word.size() > 2) {
      word.remove_prefix(2);
      while (result.ends_with(' ')) result.pop_back();
    }
    result += word;
    at = gaps[i].begin + gaps[i].length;
  }
  return result + text.substr(at);
}

// The token as normally written.
std::string word_of(const Tokenizer& tokenizer, std::int32_t id) {
  std::string text = tokenizer.token_text(id);
  if (text.starts_with("##")) return text;
  text = tokenizer.decode({&id, 1});
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? text : text.substr(begin);
}

std::vector<FilledWord> likeliest(std::span<const float> logits, const Tokenizer& tokenizer, Dim top) {
  logits = logits.first(std::min(logits.size(), static_cast<std::size_t>(tokenizer.vocabulary_size())));
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::size_t>(order.size(), static_cast<std::size_t>(top));
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), before);
  const double most = static_cast<double>(logits[static_cast<std::size_t>(order[0])]);
  double sum = 0;
  for (const float z : logits) sum += std::exp(static_cast<double>(z) - most);
  std::vector<FilledWord> words;
  for (std::size_t i = 0; i < count; ++i) {
    const double z = static_cast<double>(logits[static_cast<std::size_t>(order[i])]);
    words.push_back({order[i], word_of(tokenizer, order[i]), std::exp(z - most) / sum});
  }
  return words;
}

}  // namespace

FilledText fill_masks(const BertPretraining& network, const Tokenizer& tokenizer, const std::string& text, Dim top) {
  const auto mask = tokenizer.mask_token();
  if (!mask) throw UsageError("fill-mask: the tokenizer must have a token [MASK] or <mask>, got one without");
  const std::string own = tokenizer.token_text(*mask);
  const std::vector<Gap> gaps = gaps_of(text, own);
  if (gaps.empty()) {
    throw UsageError("fill-mask: the text must have a " + own + ", got " + in_quotes(text) +
                     "; write one where a word is missing");
  }
  const std::string readable = with_words(text, gaps, std::vector<std::string>(gaps.size(), own));
  const TokenSequence sequence = tokenizer.frame(tokenizer.encode(readable, SpecialTokens::kRecognise));
  const auto N = static_cast<Dim>(sequence.ids.size());
  if (N > network.config().context) {
    throw UsageError("fill-mask: the text has " + std::to_string(N) + " tokens, the model accepts at most " +
                     std::to_string(network.config().context) + "; shorten it");
  }
  std::vector<std::int32_t> rows;
  for (Dim i = 0; i < N; ++i) {
    if (sequence.ids[static_cast<std::size_t>(i)] == *mask) rows.push_back(static_cast<std::int32_t>(i));
  }
  if (rows.size() != gaps.size()) throw DataError("fill-mask: the tokenizer must not split its " + own);
  const Tensor logits = network.word_logits(make_stream(std::vector<Dim>{N}, sequence.ids, sequence.segments),
                                            Tensor::from(rows, {static_cast<Dim>(rows.size())}));

  FilledText result{.text = text, .masks = {}, .filled = {}};
  const auto V = static_cast<std::size_t>(logits.shape().back());
  std::vector<std::string> words;
  for (std::size_t m = 0; m < rows.size(); ++m) {
    const std::span<const float> row = logits.span<float>().subspan(m * V, V);
    require_scores(row, "fill-mask", [&] { return own + " " + std::to_string(m + 1) + " of " + in_quotes(text); });
    result.masks.push_back(likeliest(row, tokenizer, top));
    words.push_back(result.masks.back()[0].word);
  }
  result.filled = with_words(text, gaps, words);
  return result;
}

}  // namespace rapt
