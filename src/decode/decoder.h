// The interface between decoding algorithms and the networks that they decode with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/batch.h"

namespace rapt {

/// Token ids of several sequences, or of their prompts.
using TokenLists = std::vector<std::vector<std::int32_t>>;

/// The weights that a token of each sequence gives to the tokens of its source; those of a sequence sum to 1.
struct SourceWeights {
  std::vector<std::size_t> offsets;  ///< [B+1]: sequence b has weights [offsets[b], offsets[b + 1])
  std::vector<float> weights;

  std::span<const float> of(std::size_t sequence) const {
    return std::span(weights).subspan(offsets[sequence], offsets[sequence + 1] - offsets[sequence]);
  }
};

/// Sequences being decoded, with the network's state for them: keys and values, encoded sources, the state of a
/// recurrent network. Greedy decoding, sampling and beam search use networks only through this interface.
class Decoder {
 public:
  virtual ~Decoder() = default;

  virtual Dim vocabulary() const = 0;
  /// Maximum number of tokens per sequence, including the prompt; nothing: no maximum.
  virtual std::optional<Dim> longest() const = 0;
  virtual std::size_t sequences() const = 0;

  /// Appends `tokens[b]` (at least one each) to sequence b. The scores of a sequence depend, to the last bit, only on
  /// its source and its tokens, and not on the rest of the batch.
  /// \return  the scores of the next token of each sequence, [B, V] f32
  virtual Tensor advance(const TokenLists& tokens) = 0;

  /// Sequence b becomes the previous sequence from[b], with its source. The number of sequences may shrink (finished
  /// texts) or grow (several texts per prompt).
  virtual void reorder(std::span<const Dim> from) = 0;

  /// Asks for attention(): without it, advance() need not keep the weights.
  /// \return  whether the network attends to a source at all
  virtual bool keep_attention() { return false; }
  /// After advance(), if keep_attention() was called and returned true: how the last token of each sequence attended to
  /// its source when the next token was predicted.
  virtual SourceWeights attention() const { return {}; }

 protected:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

/// \throws std::invalid_argument  if there is not one prompt per sequence of the decoder, or if a prompt is empty, has
///         an id outside the vocabulary, or leaves no room for a token
void check_prompts(const Decoder& decoder, const TokenLists& prompts);

/// The packing of tokens that continue sequences. \param starts  the position of the first token of each sequence
Stream continued_stream(const TokenLists& tokens, const std::vector<Dim>& starts);

}  // namespace rapt
