// From a model's scores for first and last tokens to an answer: the search of BERT's reference code
// (google-research/bert, run_squad.py, write_predictions).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/labelled/qa_windows.h"

namespace rapt {

struct QaSearchOptions {
  std::size_t n_best = 20;             ///< first and last tokens looked at in each window, and answers kept
  std::size_t max_answer_tokens = 30;  ///< longest answer
  bool may_be_unanswerable = false;    ///< version 2: "no answer" competes
  double null_threshold = 0;           ///< no answer if its score exceeds the best answer's by more than this
};

/// Scores of one window, as long as its tokens.
struct QaScores {
  std::span<const float> start, end;
};

struct QaCandidate {
  std::string text;                ///< empty: no answer
  std::size_t begin = 0, end = 0;  ///< bytes of the context
  double start_score = 0, end_score = 0;
  double probability = 0;  ///< softmax over the candidates
  double score() const { return start_score + end_score; }
};

struct QaPrediction {
  std::string text;                     ///< the answer; empty: there is none
  std::vector<QaCandidate> candidates;  ///< the best first; different texts
  double null_score_difference = 0;     ///< version 2: score of no answer less the best answer's
};

/// The answer to one question, out of all windows of its context.
///
/// A candidate is a pair of the n_best highest first and last tokens of a window, in order, inside the context, not
/// longer than max_answer_tokens, beginning where the window has most_context; its score is the sum of both. Equal
/// scores keep the order in which they are found, as the reference's stable sort does. Its text is the context's from
/// the first token's first byte to the last one's last. "No answer" scores what the first special token does, in the
/// window where that is lowest.
///
/// Without any candidate the answer is empty.
///
/// \throws std::invalid_argument  if windows and scores do not fit
/// \throws NotFiniteError         a score that is NaN or infinite
QaPrediction find_answer(std::string_view context, const PlacedTokens& tokens, std::span<const QaWindow> windows,
                         std::span<const QaScores> scores, const QaSearchOptions& options = {});

}  // namespace rapt
