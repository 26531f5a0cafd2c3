// Decoding with a recurrent network: the states of the last token stand for all tokens before it.
#pragma once

#include "decode/decoder.h"
#include "nn/models/recurrent.h"

namespace rapt {

/// Sources are encoded once; sequences with the same source share its encoding.
class RecurrentDecoder final : public Decoder {
 public:
  /// \param source  of an encoder-decoder: a source for each sequence; else null
  /// \throws std::invalid_argument  if an encoder-decoder has no source for each sequence
  RecurrentDecoder(const Recurrent& model, std::size_t sequences, const Stream* source);

  Dim vocabulary() const override { return model_.config().vocabulary; }
  std::optional<Dim> longest() const override { return std::nullopt; }
  std::size_t sequences() const override { return sequences_; }
  Tensor advance(const TokenLists& tokens) override;
  void reorder(std::span<const Dim> from) override;

  bool keep_attention() override;
  SourceWeights attention() const override { return attention_; }

 private:
  void take_attention(const TokenLists& tokens, const Tensor& weights);

  const Recurrent& model_;
  std::size_t sequences_;
  std::optional<Recurrent::Encoded> sources_;  // its memory.sequences: the source of each sequence
  AttentiveState state_;
  bool keeps_attention_ = false;
  SourceWeights attention_;
};

}  // namespace rapt
