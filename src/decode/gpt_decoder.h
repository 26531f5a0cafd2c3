// Decoding with a GPT: a key/value cache, so that each new token costs one row.
#pragma once

#include "decode/decoder.h"
#include "nn/kv_cache.h"
#include "nn/models/gpt.h"

namespace rapt {

/// A sequence that would exceed the context continues from its last half, so there is no maximum length.
class GptDecoder final : public Decoder {
 public:
  GptDecoder(const Gpt& model, std::size_t sequences);

  Dim vocabulary() const override { return model_.config().vocabulary; }
  std::optional<Dim> longest() const override { return std::nullopt; }
  std::size_t sequences() const override { return seen_.size(); }
  Tensor advance(const TokenLists& tokens) override;
  void reorder(std::span<const Dim> from) override;

 private:
  const Gpt& model_;
  KeyValueCache cache_;
  TokenLists seen_;  // the tokens in the cache
};

}  // namespace rapt
