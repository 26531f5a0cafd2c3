// One forward pass of decoding: takes new tokens of several sequences, returns the scores of the next token of each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/models/gpt.h"

namespace rapt {

/// Sequences being decoded, with their cache.
class DecoderState final {
 public:
  /// \param most  maximum number of sequences; reorder() can multiply them up to that (beam search)
  DecoderState(const Gpt& model, std::size_t sequences, std::size_t most);

  /// Appends `tokens[b]` (at least one each) to sequence b and returns the scores of the next token of each, [B, V]. A
  /// sequence that would exceed the context keeps its last half.
  Tensor advance(const std::vector<std::vector<std::int32_t>>& tokens);

  /// Sequence b becomes the previous sequence from[b]; the number of sequences may shrink or grow.
  void reorder(std::span<const Dim> from);

  std::size_t sequences() const { return seen_.size(); }

 private:
  Tensor forward(const std::vector<std::vector<std::int32_t>>& tokens);

  const Gpt& model_;
  std::size_t most_;
  std::unique_ptr<KeyValueCache> cache_;
  std::vector<std::vector<std::int32_t>> seen_;  // what is in the cache
};

}  // namespace rapt
