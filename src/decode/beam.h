// Beam search: the most probable continuations that a search of bounded width finds.
#pragma once

#include "decode/generate.h"
#include "decode/ranking.h"

namespace rapt {

/// When the search for one prompt's texts ends, once `beams` of them are finished: early_stopping of transformers.
enum class EarlyStopping {
  kNo,     ///< no unfinished text would overtake the worst finished one if it ended now
  kYes,    ///< at once
  kNever,  ///< no unfinished text can overtake it, even at its greatest length
};

struct BeamOptions {
  std::int64_t beams = 4;
  std::int64_t max_tokens = 200;
  double length_penalty = 1;  ///< alpha of Ranking
  LengthPenalty penalty_kind = LengthPenalty::kLength;
  double coverage_penalty = 0;  ///< beta of Ranking; needs a decoder with attention
  EarlyStopping early_stopping = EarlyStopping::kNo;
  Constraints constraints = {};
  std::vector<LengthLimits> limits = {};  ///< of each prompt; empty: at most max_tokens for all
  std::vector<std::int32_t> stop_ids = {};
  StopRule stop = {};
  std::size_t best = 1;                   ///< texts per prompt that are returned, at most `beams`
  std::vector<std::size_t> numbers = {};  ///< of the prompts, for messages and the stop rule; empty: from 0
  bool alignment = false;                 ///< fill Generated::alignment
};

/// \throws UsageError  if `beams` or `best` is out of range, or as check(Constraints)
void check(const BeamOptions& options);

/// The best continuations of each prompt, with the algorithm of transformers (generation/utils.py, _beam_search). Each
/// step keeps the best `beams` unfinished texts among 2 x beams candidates. A text that ends, by a stop token or
/// string, competes with its score (Ranking). Each prompt has a search of its own; finished ones leave the batch.
/// \param decoder, prompts  as in generate()
/// \return  for each prompt, the best texts, best first: `best` of them, or as many as the search found, at least one
/// \throws UsageError  as check(); for a coverage penalty with a decoder that has no attention
/// \throws std::invalid_argument  as check_prompts()
/// \throws NotFiniteError  if a score is not finite
std::vector<std::vector<Generated>> beam_search(Decoder& decoder, const TokenLists& prompts,
                                                const BeamOptions& options);

}  // namespace rapt
