// The likeliest words for the gaps of a text, by a BERT that was pretrained on such gaps.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/models/bert_pretraining.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A word that may stand in a gap.
struct FilledWord {
  std::int32_t id = 0;
  std::string word;  ///< as people write it; a piece that continues a word begins with ##
  double probability = 0;
};

/// A text with gaps, and what stands in each, the likeliest first. Gaps are filled independently of each other.
struct FilledText {
  std::string text;                            ///< as it was given
  std::vector<std::vector<FilledWord>> masks;  ///< by gap
  std::string filled;                          ///< with the likeliest word in each gap
};

/// Fills `[MASK]` and `<mask>`, whichever the tokenizer itself has.
/// \param top  words a gap, at most the vocabulary's
/// \throws UsageError  a tokenizer without a mask token; a text without a gap, or longer than the network's context
FilledText fill_masks(const BertPretraining& network, const Tokenizer& tokenizer, const std::string& text, Dim top);

}  // namespace rapt
