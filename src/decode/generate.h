// Text generation by greedy decoding and sampling, for many prompts at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode/decoder.h"
#include "decode/sampler.h"

namespace rapt {

/// The part of a text that is kept when a stop string ends it.
struct Kept {
  std::size_t tokens = 0;  ///< number of the new tokens
  std::size_t bytes = 0;   ///< of their text; the last token may also hold the beginning of the stop string
};

/// Called after every token: is the text finished? Receives the prompt's index and its new tokens. Nothing: it
/// continues.
using StopRule = std::function<std::optional<Kept>(std::size_t prompt, std::span<const std::int32_t> tokens)>;

struct GenerateOptions {
  std::int64_t max_tokens = 200;  ///< new tokens per prompt
  SamplingOptions sampling;
  std::vector<std::int32_t> stop_ids;  ///< tokens that end a text; they are not part of it
  std::uint64_t seed = 1;
  StopRule stop;
  /// Called with every token as it is generated.
  std::function<void(std::size_t prompt, std::int32_t token)> on_token;
};

struct Generated {
  std::vector<std::int32_t> tokens;       ///< the new tokens that are kept, without stop tokens
  double log_probability = 0;             ///< of these tokens, under the distribution they were drawn from
  bool ended = false;                     ///< by a stop token or string, not by max_tokens
  std::optional<std::size_t> bytes = {};  ///< length of the tokens' text if a stop string ended it: Kept::bytes
  double score = 0;                       ///< the ranking score of beam search: see BeamOptions::length_penalty
};

/// Continues each prompt independently: the result does not depend on the rest of the batch.
/// \param decoder  new, with one sequence per prompt
/// \param prompts  the start of the texts: for a translation, the start token and a given prefix
/// \throws std::invalid_argument  as check_prompts()
/// \throws NotFiniteError  if a score is not finite
std::vector<Generated> generate(Decoder& decoder, const TokenLists& prompts, const GenerateOptions& options);

}  // namespace rapt
