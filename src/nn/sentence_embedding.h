// One vector for a sentence, to compare sentences by. Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084.
#pragma once

#include <string_view>

#include "nn/network.h"

namespace rapt {

/// Which of a sequence's states stand for it.
enum class Pooling {
  kMean,   ///< their mean
  kFirst,  ///< the first token's: BERT's [CLS], before any pooler
  kLast,   ///< the last token's: the one of a GPT's that has seen all others
};

/// mean, cls (the first), last.
/// \throws std::invalid_argument  for another name, listing these
Pooling pooling_from_name(std::string_view name);

/// [N, C] to [B, C].
/// \throws ShapeError  if a sequence is empty
Variable pool(const Variable& states, const Packed& layout, Pooling pooling);

/// The vectors of a batch's sequences, [B, C], without gradients.
/// \param normalize  divide each by its length, so that products are cosines
Tensor sentence_embeddings(const Backbone& backbone, const Batch& batch, Pooling pooling, bool normalize);

}  // namespace rapt
