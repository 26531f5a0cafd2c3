// One vector per sentence, for comparing sentences. Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084.
#pragma once

#include <span>
#include <utility>

#include "nn/network.h"

namespace rapt {

/// Which of a sequence's states represent it.
enum class Pooling {
  kMean,   ///< the mean of all states
  kFirst,  ///< the first token's state: BERT's [CLS], before any pooler
  kLast,   ///< the last token's state: in a GPT, the one that has seen all others
};

/// mean, cls (the first token), last.
std::span<const std::pair<Pooling, const char*>> pooling_names();

/// [N, C] to [B, C].
/// \throws ShapeError  if a sequence is empty
Variable pool(const Variable& states, const Packed& layout, Pooling pooling);

/// The vectors of a batch's sequences, [B, C], without gradients.
/// \param normalize  divide each by its length, so that dot products are cosines
Tensor sentence_embeddings(const Backbone& backbone, const Stream& input, Pooling pooling, bool normalize);

}  // namespace rapt
