// Beam search: the most probable continuation that a search of bounded width finds.
#pragma once

#include "decode/generate.h"

namespace rapt {

struct BeamOptions {
  std::int64_t beams = 4;
  std::int64_t max_tokens = 200;
  double length_penalty = 1;  ///< a text's score is its log-probability divided by (new tokens)^this
  double repetition_penalty = 1;
  std::vector<std::int32_t> stop_ids = {};
  StopRule stop = {};      ///< its prompt index is always 0
  std::size_t number = 1;  ///< number of the prompt, for messages
};

/// The best continuation of one prompt, with the algorithm of transformers (generation/utils.py, _beam_search, with
/// early_stopping False). Each step keeps the best `beams` unfinished texts among 2 x beams candidates. A text that
/// ends, by a stop token or string, competes with its length-normalised score. The search ends when no unfinished text
/// can overtake the worst finished one.
/// \throws NotFiniteError  if a score is not finite
Generated beam_search(const Gpt& model, const std::vector<std::int32_t>& prompt, const BeamOptions& options);

}  // namespace rapt
