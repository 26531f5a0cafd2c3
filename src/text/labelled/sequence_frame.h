// Turns the texts of an example into a network's tokens: adds the tokens before, between and after them, and truncates.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tensor/types.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// How texts become sequences of a network.
///
/// An encoder's sequences are those of its tokenizer: `[CLS] A [SEP] B [SEP]`. A GPT's have the delimiters of GPT-1's
/// paper (Radford et al. 2018, section 3.3), `_start_ A _delimiter_ B _classify_`, if its tokenizer has them, and no
/// surrounding tokens otherwise. Sequences that are too long are truncated: of a pair, the longer text at its end, as
/// in BERT's reference code.
class SequenceFrame final {
 public:
  SequenceFrame(std::shared_ptr<const Tokenizer> tokenizer, bool encoder, Dim max_length);

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  Dim max_length() const { return max_length_; }
  TokenSequence one(std::vector<std::int32_t> text) const;
  TokenSequence pair(std::vector<std::int32_t> first, std::vector<std::int32_t> second) const;
  /// Number of special tokens before a single text.
  Dim before() const;

 private:
  TokenSequence framed(std::span<const std::int32_t> first, const std::vector<std::int32_t>* second) const;

  std::shared_ptr<const Tokenizer> tokenizer_;
  bool encoder_;
  Dim max_length_;
  std::optional<std::int32_t> start_, delimiter_, classify_;
};

/// The tokenizer with the delimiters that a GPT's tasks need, `_start_`, `_delimiter_` and `_classify_`, appended.
std::shared_ptr<const Tokenizer> with_delimiters(const Tokenizer& tokenizer);

}  // namespace rapt
