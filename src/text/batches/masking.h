// Chooses which words of a sequence a masked language model must predict, and what it sees in their place.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/random.h"
#include "tensor/types.h"
#include "text/batches/instances.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Masks sequences like google-research/bert's create_masked_lm_predictions: of a sequence of n tokens, including
/// special tokens, round(n * probability) are predicted (half to even), at least 1 and at most `most`. In 80 % of the
/// cases the model sees [MASK], in 10 % the token itself, in 10 % a random one. [CLS], [SEP], [MASK] and [PAD] are
/// never predicted. Random tokens are uniform over the vocabulary without special tokens (in the script, with them).
///
/// With whole words, words are drawn until that many tokens are reached. A word that would exceed the number is
/// skipped, unless there is no shorter one to predict at all. Tokens that continue a word start with `##`. In
/// vocabularies that mark the starts of words instead, they do not start with `Ġ` or `▁`; in those that mark the ends,
/// they follow a token without `</w>`. A line of text always starts a word.
///
/// Immutable; safe to use from many threads.
class Masker final {
 public:
  /// \param context  of the sequences: the default of MaskingOptions::most depends on it
  /// \throws DataError   for a tokenizer without [MASK], [CLS] or [SEP] (or <mask>, <s>, </s>), or without other tokens
  /// \throws UsageError  for impossible options; for whole words if the vocabulary does not mark words
  Masker(const Tokenizer& tokenizer, const MaskingOptions& options, Dim context);

  std::int32_t mask_token() const { return mask_; }
  std::int32_t class_token() const { return class_; }
  std::int32_t separator_token() const { return separator_; }
  std::int32_t vocabulary_size() const { return static_cast<std::int32_t>(kinds_.size()); }
  const MaskingOptions& options() const { return options_; }
  Dim most() const { return most_; }

  /// Masks one sequence in place.
  /// \param tokens  [T] including special tokens; below vocabulary_size()
  /// \param begins  rows at which a word starts whatever the tokens are, ascending; rows after special tokens always
  ///                start one
  /// \param stream  determines what is drawn
  /// \param rows    the predicted rows are appended, ascending
  /// \param targets the original tokens of these rows are appended
  void mask(std::span<std::int32_t> tokens, std::span<const Dim> begins, RandomKey stream, std::vector<Dim>& rows,
            std::vector<std::int32_t>& targets) const;

 private:
  void find_words(const Tokenizer& tokenizer);
  std::vector<TokenRange> words_of(std::span<const std::int32_t> tokens, std::span<const Dim> begins) const;

  MaskingOptions options_;
  Dim most_;
  std::int32_t mask_, class_, separator_;
  std::vector<std::uint8_t> kinds_;     // of each token of the vocabulary
  std::vector<std::int32_t> ordinary_;  // the tokens from which random ones are drawn
};

}  // namespace rapt
