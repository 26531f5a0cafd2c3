// Training objectives.
#pragma once

namespace rapt {

enum class Objective {
  kNone,                     ///< none: a backbone alone, for states and embeddings
  kNextToken,                ///< each token from the tokens before it
  kTargetText,               ///< each token of a target text, from its source text and the tokens before it
  kMaskedWords,              ///< masked tokens, from the tokens on both sides
  kMaskedWordsNextSentence,  ///< also whether the second of two segments follows the first
  kLabels,                   ///< one of the tasks of nn/models/task.h
};

inline bool masks_words(Objective objective) {
  return objective == Objective::kMaskedWords || objective == Objective::kMaskedWordsNextSentence;
}

}  // namespace rapt
