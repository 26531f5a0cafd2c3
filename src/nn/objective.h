// What a network is taught.
#pragma once

namespace rapt {

enum class Objective {
  kNone,                     ///< nothing: a backbone alone, for states and embeddings
  kNextToken,                ///< each token from those before it
  kMaskedWords,              ///< tokens that were masked, from those on both sides
  kMaskedWordsNextSentence,  ///< and whether the second of two segments follows the first
  kLabels,                   ///< one of the tasks of nn/models/task.h
};

inline bool masks_words(Objective objective) {
  return objective == Objective::kMaskedWords || objective == Objective::kMaskedWordsNextSentence;
}

}  // namespace rapt
