// The most probable words for the masks of a text, from a BERT that was pretrained on masked words.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/models/bert_pretraining.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A candidate word for a mask.
struct FilledWord {
  std::int32_t id = 0;
  std::string word;  ///< as normally written; a piece that continues a word starts with ##
  double probability = 0;
};

/// A text with masks, and the candidates for each, most probable first. Masks are filled independently of each other.
struct FilledText {
  std::string text;                            ///< as given
  std::vector<std::vector<FilledWord>> masks;  ///< per mask
  std::string filled;                          ///< with the most probable word in each mask
};

/// Fills `[MASK]` and `<mask>`, whichever the tokenizer itself has.
/// \param top  number of words per mask, at most the vocabulary size
/// \throws UsageError  for a tokenizer without a mask token, and for a text without a mask or longer than the network's
///     context
FilledText fill_masks(const BertPretraining& network, const Tokenizer& tokenizer, const std::string& text, Dim top);

}  // namespace rapt
