// Rules that generated texts obey, whichever way their tokens are chosen.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace rapt {

/// The part of a text that is kept when a stop string ends it.
struct Kept {
  std::size_t tokens = 0;  ///< number of the new tokens
  std::size_t bytes = 0;   ///< of their text; the last token may also hold the beginning of the stop string
};

/// Called after every token: is the text finished? Receives the prompt's index and its new tokens. Nothing: it
/// continues.
using StopRule = std::function<std::optional<Kept>(std::size_t prompt, std::span<const std::int32_t> tokens)>;

/// How many new tokens a text has. The stop token that ends a text counts as one for the maximum.
struct LengthLimits {
  std::int64_t least = 0;
  std::int64_t most = 200;
};

/// The scores of tokens that a rule forbids become -infinity. In the order, and with the meaning, of transformers
/// (generation/logits_process.py).
struct Constraints {
  double repetition_penalty = 1;         ///< of tokens that occurred (Keskar et al. 2019, CTRL, section 4.1)
  std::int64_t no_repeat_ngram = 0;      ///< no sequence of this many tokens occurs twice, prompt included; 0: may
  std::vector<std::int32_t> never = {};  ///< tokens that do not occur
  std::optional<std::int32_t> first_token = {};  ///< the second token of every text, after the prompt's first one
};

/// \throws UsageError  naming the option and its valid values
void check(const Constraints& constraints);

/// Divides the scores of the tokens in `history` by the penalty, or multiplies them if negative.
void penalise_repetition(std::span<float> scores, std::span<const std::int32_t> history, double penalty);

/// Applies the rules to the scores of the next token.
/// \param history     the tokens so far, prompt included
/// \param new_tokens  how many of them are new
/// \param least       number of new tokens before one of `stop_ids` may follow
void apply(const Constraints& constraints, std::span<float> scores, std::span<const std::int32_t> history,
           std::size_t new_tokens, std::int64_t least, std::span<const std::int32_t> stop_ids);

}  // namespace rapt
