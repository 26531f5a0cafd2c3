// Which words of a sequence a masked language model has to guess, and what it sees in their place.
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

/// Masks sequences as google-research/bert's create_masked_lm_predictions does: of a sequence of n tokens, its frame
/// included, round(n * probability) are predicted (half to even), at least 1 and at most `most`. In 80 % of the cases
/// the model sees [MASK], in 10 % the token itself, in 10 % a random one. [CLS], [SEP], [MASK] and [PAD] are never
/// predicted. Random tokens are uniform over the vocabulary without special tokens (the script's is with them).
///
/// With whole words, words are drawn until so many tokens are reached; one that would exceed the number is left out,
/// unless there is no shorter one to predict at all. Tokens that go on with a word begin with `##`; in vocabularies
/// that mark beginnings instead, do not begin with `Ġ` or `▁`; in those that mark ends, follow a token without `</w>`.
/// A line of text begins a word in any case.
///
/// Immutable; safe to use from many threads.
class Masker final {
 public:
  /// \param context  of the sequences: what MaskingOptions::most depends on if it is 0
  /// \throws DataError   a tokenizer without [MASK], [CLS] or [SEP] (or <mask>, <s>, </s>), or without other tokens
  /// \throws UsageError  options that cannot be; whole words where the vocabulary does not tell them
  Masker(const Tokenizer& tokenizer, const MaskingOptions& options, Dim context);

  std::int32_t mask_token() const { return mask_; }
  std::int32_t class_token() const { return class_; }
  std::int32_t separator_token() const { return separator_; }
  std::int32_t vocabulary_size() const { return static_cast<std::int32_t>(kinds_.size()); }
  const MaskingOptions& options() const { return options_; }
  Dim most() const { return most_; }

  /// Masks one sequence in place.
  /// \param tokens  [T] with their frame; below vocabulary_size()
  /// \param begins  rows at which a word begins whatever the tokens say, ascending; rows behind the frame's tokens do
  /// so
  ///                in any case
  /// \param stream  decides what is drawn
  /// \param rows    the rows that are predicted are added, ascending
  /// \param targets the tokens that stood there are added
  void mask(std::span<std::int32_t> tokens, std::span<const Dim> begins, RandomKey stream, std::vector<Dim>& rows,
            std::vector<std::int32_t>& targets) const;

 private:
  void find_words(const Tokenizer& tokenizer);
  std::vector<TokenRange> words_of(std::span<const std::int32_t> tokens, std::span<const Dim> begins) const;

  MaskingOptions options_;
  Dim most_;
  std::int32_t mask_, class_, separator_;
  std::vector<std::uint8_t> kinds_;     // of each token of the vocabulary
  std::vector<std::int32_t> ordinary_;  // those that a random one is drawn from
};

}  // namespace rapt
