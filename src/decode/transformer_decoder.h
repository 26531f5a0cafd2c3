// Decoding with an encoder-decoder: sources are encoded once, and each new token costs one row.
#pragma once

#include "decode/decoder.h"
#include "nn/kv_cache.h"
#include "nn/models/transformer.h"
#include "nn/source_cache.h"

namespace rapt {

class TransformerDecoder final : public Decoder {
 public:
  /// \param source  the source of each sequence, with its end token
  TransformerDecoder(const Transformer& model, const Stream& source);

  Dim vocabulary() const override { return model_.vocabulary(); }
  std::optional<Dim> longest() const override { return model_.context(); }
  std::size_t sequences() const override { return static_cast<std::size_t>(sources_.sequences()); }
  Tensor advance(const TokenLists& tokens) override;
  void reorder(std::span<const Dim> from) override;
  bool keep_attention() override { return keeps_attention_ = true; }
  /// Of the last layer, averaged over its heads.
  SourceWeights attention() const override;

 private:
  const Transformer& model_;
  SourceCache sources_;
  KeyValueCache cache_;
  bool keeps_attention_ = false;
  std::vector<float> weights_;
};

}  // namespace rapt
