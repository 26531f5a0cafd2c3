// Text generation by greedy decoding and sampling, for many prompts at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "decode/constraints.h"
#include "decode/decoder.h"
#include "decode/sampler.h"

namespace rapt {

struct GenerateOptions {
  std::int64_t max_tokens = 200;  ///< new tokens per prompt
  SamplingOptions sampling;
  Constraints constraints;
  std::vector<LengthLimits> limits;    ///< of each prompt; empty: at most max_tokens for all
  std::vector<std::int32_t> stop_ids;  ///< tokens that end a text; they are not part of it
  std::uint64_t seed = 1;
  StopRule stop;
  std::size_t samples = 1;           ///< texts per prompt
  std::vector<std::size_t> numbers;  ///< of the prompts, for messages, the stop rule, random numbers; empty: from 0
  bool alignment = false;            ///< fill Generated::alignment
  /// Called with every token as it is generated. \param text  the number of the text, from 0
  std::function<void(std::size_t text, std::int32_t token)> on_token;
};

struct Generated {
  std::vector<std::int32_t> tokens;       ///< the new tokens that are kept, without stop tokens
  double log_probability = 0;             ///< of these tokens, under the distribution they were drawn from
  bool ended = false;                     ///< by a stop token or string, not by max_tokens
  std::optional<std::size_t> bytes = {};  ///< length of the tokens' text if a stop string ended it: Kept::bytes
  double score = 0;                       ///< the ranking score of beam search: see Ranking
  /// Of each token, the source token that it attended to most, counted from 0; empty if the decoder has no attention.
  std::vector<std::int32_t> alignment = {};
};

/// Continues each prompt independently: the result does not depend on the rest of the batch.
/// \param decoder  new, with one sequence per prompt
/// \param prompts  the start of the texts: for a translation, the start token and a given prefix
/// \return  `samples` texts of the first prompt, then those of the second ...
/// \throws UsageError  for impossible options
/// \throws std::invalid_argument  as check_prompts()
/// \throws NotFiniteError  if a score is not finite
std::vector<Generated> generate(Decoder& decoder, const TokenLists& prompts, const GenerateOptions& options);

/// The limits of a prompt's new tokens: limits[prompt], or at most max_tokens, as far as the decoder's longest text
/// allows.
LengthLimits limits_of(const Decoder& decoder, const std::vector<std::int32_t>& tokens,
                       const std::vector<LengthLimits>& limits, std::size_t prompt, std::int64_t max_tokens);

}  // namespace rapt
