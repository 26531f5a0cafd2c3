// Beam search: the most probable continuation that a bounded search finds.
#pragma once

#include "decode/generate.h"

namespace rapt {

struct BeamOptions {
  std::int64_t beams = 4;
  std::int64_t max_tokens = 200;
  double length_penalty = 1;  ///< a text's score is its log-probability divided by (new tokens)^this
  double repetition_penalty = 1;
  std::vector<std::int32_t> stop_ids = {};
  StopRule stop = {};      ///< its prompt is always 0
  std::size_t number = 1;  ///< of the prompt, for messages
};

/// The best continuation of one prompt, as transformers' beam search finds it (generation/utils.py, _beam_search, with
/// early_stopping False): each step keeps the best `beams` open texts among 2 x beams candidates; one that ends,
/// by a stop token or string, competes with its length-normalised score; the search is over when no open text can
/// overtake the worst kept one.
/// \throws NotFiniteError  scores that are not finite
Generated beam_search(const Gpt& model, const std::vector<std::int32_t>& prompt, const BeamOptions& options);

}  // namespace rapt
