// Text that goes on: many prompts at once, as one packing, with a key/value cache.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode/sampler.h"
#include "nn/models/gpt.h"

namespace rapt {

/// What stays of a text that a stop string ends.
struct Kept {
  std::size_t tokens = 0;  ///< the first so many of the new tokens
  std::size_t bytes = 0;   ///< of their text; the last of them may hold the beginning of the stop string as well
};

/// Asked after every token: is the text finished? Sees the prompt's index and its new tokens. Nothing: it continues.
using StopRule = std::function<std::optional<Kept>(std::size_t prompt, std::span<const std::int32_t> tokens)>;

struct GenerateOptions {
  std::int64_t max_tokens = 200;  ///< new ones, per prompt
  SamplingOptions sampling;
  std::vector<std::int32_t> stop_ids;  ///< tokens that end a text; they are not part of it
  std::uint64_t seed = 1;
  StopRule stop;
  /// Told every token as it comes.
  std::function<void(std::size_t prompt, std::int32_t token)> on_token;
};

struct Generated {
  std::vector<std::int32_t> tokens;       ///< the new ones that stay; no stop token is among them
  double log_probability = 0;             ///< of these tokens, under what they were drawn from
  bool ended = false;                     ///< by a stop token or string, not by max_tokens
  std::optional<std::size_t> bytes = {};  ///< of the tokens' text, where a stop string ended it: Kept::bytes
};

/// Goes on from each prompt by itself: the result does not depend on what else is in the batch. Texts longer than the
/// model's context go on from their last half of it.
/// \param prompts  token ids; none may be empty
/// \throws std::invalid_argument  for an empty prompt or an id outside the vocabulary
std::vector<Generated> generate(const Gpt& model, const std::vector<std::vector<std::int32_t>>& prompts,
                                const GenerateOptions& options);

}  // namespace rapt
