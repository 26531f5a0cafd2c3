// From the texts of an example to a network's tokens: what stands before, between and behind them, and what is cut.
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

/// How texts become a network's sequences.
///
/// An encoder's are what its tokenizer makes: `[CLS] A [SEP] B [SEP]`. A GPT's have the delimiters of GPT-1's paper
/// (Radford et al. 2018, section 3.3), `_start_ A _delimiter_ B _classify_`, where its tokenizer has them, and nothing
/// round them otherwise. What is too long is cut: of a pair, the longer text at its end, as BERT's reference code does.
class SequenceFrame final {
 public:
  SequenceFrame(std::shared_ptr<const Tokenizer> tokenizer, bool encoder, Dim max_length);

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  Dim max_length() const { return max_length_; }
  TokenSequence one(std::vector<std::int32_t> text) const;
  TokenSequence pair(std::vector<std::int32_t> first, std::vector<std::int32_t> second) const;
  /// Tokens of the frame in front of a single text.
  Dim before() const;

 private:
  TokenSequence framed(std::span<const std::int32_t> first, const std::vector<std::int32_t>* second) const;

  std::shared_ptr<const Tokenizer> tokenizer_;
  bool encoder_;
  Dim max_length_;
  std::optional<std::int32_t> start_, delimiter_, classify_;
};

/// The tokenizer with the delimiters that a GPT's tasks need, `_start_`, `_delimiter_` and `_classify_`, at its end.
std::shared_ptr<const Tokenizer> with_delimiters(const Tokenizer& tokenizer);

}  // namespace rapt
