#include "text/batches/masking.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "tensor/error.h"

namespace rapt {

namespace {

// Properties of a token.
constexpr std::uint8_t kNeverPredicted = 1, kBeginsWord = 2, kEndsWord = 4;

std::int32_t required(std::optional<std::int32_t> token, const char* names) {
  if (token) return *token;
  throw DataError(std::string("masking: the tokenizer must have a token ") + names +
                  ", got neither; masked language models need a BERT or RoBERTa tokenizer");
}

Dim most_predictions(const MaskingOptions& options, Dim context) {
  if (!(options.probability > 0 && options.probability <= 1)) {
    throw UsageError(
        fmt::format("masking: the probability must be above 0 and at most 1, got {:g}", options.probability));
  }
  if (options.most < 0) {
    throw UsageError(fmt::format(
        "masking: the maximum number of predictions must be at least 1, or 0 for that share of the context, got {}",
        options.most));
  }
  if (options.most > 0) return options.most;
  return static_cast<Dim>(std::ceil(static_cast<double>(context) * options.probability));
}

// How a vocabulary marks words.
enum class WordMark { kNone, kContinuation, kBeginning, kEnd };

constexpr std::string_view kContinues = "##", kSpace = "\xC4\xA0", kBlock = "\xE2\x96\x81", kEnds = "</w>";

// A lone mark is an ordinary token: "##" may be two characters of the text.
bool is_marked(std::string_view token, WordMark mark) {
  switch (mark) {
    case WordMark::kNone:
      return false;
    case WordMark::kContinuation:
      return token.size() > kContinues.size() && token.starts_with(kContinues);
    case WordMark::kBeginning:
      return token.starts_with(kSpace) || token.starts_with(kBlock);
    case WordMark::kEnd:
      return token.ends_with(kEnds);
  }
  return false;
}

WordMark word_mark(const std::vector<std::string>& vocabulary) {
  WordMark best = WordMark::kNone;
  std::ptrdiff_t most = 0;
  for (const WordMark mark : {WordMark::kContinuation, WordMark::kBeginning, WordMark::kEnd}) {
    const auto count = std::count_if(vocabulary.begin(), vocabulary.end(),
                                     [&](const std::string& token) { return is_marked(token, mark); });
    if (count > most) {
      best = mark;
      most = count;
    }
  }
  return best;
}

}  // namespace

Masker::Masker(const Tokenizer& tokenizer, const MaskingOptions& options, Dim context)
    : options_(options),
      most_(most_predictions(options, context)),
      mask_(required(tokenizer.mask_token(), "[MASK] or <mask>")),
      class_(required(tokenizer.class_token(), "[CLS] or <s>")),
      separator_(required(tokenizer.separator_token(), "[SEP] or </s>")),
      kinds_(static_cast<std::size_t>(tokenizer.vocabulary_size())) {
  const auto pad = tokenizer.pad_token(), unknown = tokenizer.unknown_token();
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const bool frames = id == mask_ || id == class_ || id == separator_ || id == pad;
    if (frames) kinds_[static_cast<std::size_t>(id)] = kNeverPredicted;
    if (!frames && id != unknown && !tokenizer.is_special(id)) ordinary_.push_back(id);
  }
  if (ordinary_.empty()) throw DataError("masking: the tokenizer must have tokens that are not special, got none");
  if (options.whole_words) find_words(tokenizer);
}

void Masker::find_words(const Tokenizer& tokenizer) {
  std::vector<std::string> vocabulary;
  for (const std::int32_t id : ordinary_) vocabulary.push_back(tokenizer.token_text(id));
  const WordMark mark = word_mark(vocabulary);
  if (mark == WordMark::kNone) {
    throw UsageError(
        "masking: whole words need a vocabulary that marks them (##, \xC4\xA0, \xE2\x96\x81 or </w>), got one of " +
        tokenizer.kind() + "; leave --whole-word out");
  }
  const bool unmarked_begins = mark == WordMark::kContinuation;
  const std::uint8_t kind = mark == WordMark::kEnd ? kEndsWord : kBeginsWord;
  for (std::uint8_t& flags : kinds_) flags |= kind;  // special tokens are words of their own
  for (std::size_t i = 0; i < ordinary_.size(); ++i) {
    std::uint8_t& flags = kinds_[static_cast<std::size_t>(ordinary_[i])];
    if (is_marked(vocabulary[i], mark) == unmarked_begins) flags &= static_cast<std::uint8_t>(~kind);
  }
}

std::vector<TokenRange> Masker::words_of(std::span<const std::int32_t> tokens, std::span<const Dim> begins) const {
  std::vector<TokenRange> words;
  std::uint8_t before = kNeverPredicted;
  auto begin = begins.begin();
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto row = static_cast<Dim>(t);
    const std::uint8_t kind = kinds_[static_cast<std::size_t>(tokens[t])];
    while (begin != begins.end() && *begin < row) ++begin;
    const bool begins_here = begin != begins.end() && *begin == row;
    if ((kind & kNeverPredicted) == 0) {
      const bool goes_on = options_.whole_words && !begins_here && (kind & kBeginsWord) == 0 &&
                           (before & (kEndsWord | kNeverPredicted)) == 0;
      if (goes_on) {
        words.back().end = row + 1;
      } else {
        words.push_back({row, row + 1});
      }
    }
    before = kind;
  }
  return words;
}

void Masker::mask(std::span<std::int32_t> tokens, std::span<const Dim> begins, RandomKey stream, std::vector<Dim>& rows,
                  std::vector<std::int32_t>& targets) const {
  std::vector<TokenRange> words = words_of(tokens, begins);
  if (words.empty()) return;
  const double share = std::nearbyint(static_cast<double>(tokens.size()) * options_.probability);
  const Dim wanted = std::min(most_, std::max<Dim>(1, static_cast<Dim>(share)));

  // Draws words without replacement (Fisher and Yates, as far as needed).
  Rng rng(stream);
  const std::size_t first_row = rows.size();
  const auto take = [&](TokenRange word) {
    for (Dim row = word.begin; row < word.end; ++row) rows.push_back(row);
  };
  const auto taken = [&] { return static_cast<Dim>(rows.size() - first_row); };
  for (std::size_t i = 0; i < words.size() && taken() < wanted; ++i) {
    std::swap(words[i], words[i + static_cast<std::size_t>(rng.below(words.size() - i))]);
    if (taken() + words[i].size() <= wanted) take(words[i]);
  }
  if (taken() == 0) {
    take(*std::min_element(words.begin(), words.end(), [](auto a, auto b) { return a.size() < b.size(); }));
  }
  std::sort(rows.begin() + static_cast<std::ptrdiff_t>(first_row), rows.end());

  for (std::size_t i = first_row; i < rows.size(); ++i) {
    std::int32_t& token = tokens[static_cast<std::size_t>(rows[i])];
    targets.push_back(token);
    const double u = rng.uniform();
    if (u < 0.8) {
      token = mask_;
    } else if (u >= 0.9) {
      token = ordinary_[static_cast<std::size_t>(rng.below(ordinary_.size()))];
    }
  }
}

}  // namespace rapt
