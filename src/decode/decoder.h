// The interface between decoding algorithms and the networks that they decode with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace rapt {

/// Token ids of several sequences, or of their prompts.
using TokenLists = std::vector<std::vector<std::int32_t>>;

/// Sequences being decoded, with the network's state for them: keys and values, encoded sources, the state of a
/// recurrent network. Greedy decoding, sampling and beam search use networks only through this interface.
class Decoder {
 public:
  virtual ~Decoder() = default;

  virtual Dim vocabulary() const = 0;
  /// Maximum number of tokens per sequence, including the prompt; nothing: no maximum.
  virtual std::optional<Dim> longest() const = 0;
  virtual std::size_t sequences() const = 0;

  /// Appends `tokens[b]` (at least one each) to sequence b.
  /// \return  the scores of the next token of each sequence, [B, V] f32
  virtual Tensor advance(const TokenLists& tokens) = 0;

  /// Sequence b becomes the previous sequence from[b], with its source. The number of sequences may shrink (finished
  /// texts) or grow (several texts per prompt).
  virtual void reorder(std::span<const Dim> from) = 0;

 protected:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

/// \throws std::invalid_argument  if there is not one prompt per sequence of the decoder, or if a prompt is empty, has
///         an id outside the vocabulary, or leaves no room for a token
void check_prompts(const Decoder& decoder, const TokenLists& prompts);

/// How many of `wanted` new tokens may follow a prompt.
std::int64_t most_new_tokens(const Decoder& decoder, std::size_t prompt_tokens, std::int64_t wanted);

}  // namespace rapt
