// One forward pass of decoding: new tokens of several sequences in, the scores of what follows each out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/models/gpt.h"

namespace rapt {

/// Sequences that are being written, with their cache.
class DecoderState final {
 public:
  /// \param most  sequences that there may ever be; reorder() can multiply them up to that (beam search)
  DecoderState(const Gpt& model, std::size_t sequences, std::size_t most);

  /// Appends `tokens[b]` (at least one each) to sequence b and gives the scores of the next token of each, [B, V].
  /// A sequence that would outgrow the context keeps its last half.
  Tensor advance(const std::vector<std::vector<std::int32_t>>& tokens);

  /// Sequence b becomes what from[b] was; there may be fewer afterwards, or more.
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
