// Beam search: the most probable continuations that a search of bounded width finds.
#pragma once

#include "decode/generate.h"

namespace rapt {

struct BeamOptions {
  std::int64_t beams = 4;
  std::int64_t max_tokens = 200;
  double length_penalty = 1;  ///< a text's score is its log-probability divided by (new tokens)^this
  double repetition_penalty = 1;
  std::vector<std::int32_t> stop_ids = {};
  StopRule stop = {};
  std::size_t best = 1;          ///< texts per prompt that are returned, at most `beams`
  std::size_t first_prompt = 0;  ///< number of the first prompt, for messages and the stop rule
};

/// The best continuations of each prompt, with the algorithm of transformers (generation/utils.py, _beam_search, with
/// early_stopping False). Each step keeps the best `beams` unfinished texts among 2 x beams candidates. A text that
/// ends, by a stop token or string, competes with its length-normalised score. The search ends when no unfinished text
/// can overtake the worst finished one. Each prompt has a search of its own; finished ones leave the batch.
/// \param decoder, prompts  as in generate()
/// \return  for each prompt, the best texts, best first: `best` of them, or as many as the search found
/// \throws UsageError  if `beams` or `best` is out of range
/// \throws std::invalid_argument  as check_prompts()
/// \throws NotFiniteError  if a score is not finite
std::vector<std::vector<Generated>> beam_search(Decoder& decoder, const TokenLists& prompts,
                                                const BeamOptions& options);

}  // namespace rapt
