// Finds an answer from a model's scores for start and end tokens, with the search of BERT's reference code
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
  std::size_t n_best = 20;             ///< number of start and end tokens considered per window, and of answers kept
  std::size_t max_answer_tokens = 30;  ///< longest answer
  bool may_be_unanswerable = false;    ///< version 2: "no answer" competes
  double null_threshold = 0;           ///< predict no answer if its score exceeds the best answer's by more than this
};

/// Scores of one window, one per token.
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
  std::string text;                     ///< the answer; empty: none
  std::vector<QaCandidate> candidates;  ///< best first; different texts
  double null_score_difference = 0;     ///< version 2: score of no answer minus the best answer's
};

/// The answer to one question, from all windows of its context.
///
/// A candidate is a pair of the n_best highest start and end tokens of a window, in order, inside the context, not
/// longer than max_answer_tokens, and starting where the window has most_context. Its score is the sum of both. Equal
/// scores keep the order in which they are found, like the reference's stable sort. Its text is the context from the
/// first byte of the start token to the last byte of the end token. "No answer" has the score of the first special
/// token, in the window where that is lowest.
///
/// Without any candidate, the answer is empty.
///
/// \throws std::invalid_argument  if windows and scores do not fit
/// \throws NotFiniteError         for a score that is NaN or infinite
QaPrediction find_answer(std::string_view context, const PlacedTokens& tokens, std::span<const QaWindow> windows,
                         std::span<const QaScores> scores, const QaSearchOptions& options = {});

}  // namespace rapt
