#include "decode/gpt_decoder.h"

#include <algorithm>

namespace rapt {
namespace {

constexpr Dim kFirstCapacity = 256;  // tokens; caches grow by doubling up to the model's context

Stream packed_stream(const TokenLists& tokens, const std::vector<Dim>& starts) {
  std::vector<Dim> lengths;
  std::vector<std::int32_t> ids, positions;
  for (std::size_t b = 0; b < tokens.size(); ++b) {
    lengths.push_back(static_cast<Dim>(tokens[b].size()));
    for (std::size_t i = 0; i < tokens[b].size(); ++i) {
      ids.push_back(tokens[b][i]);
      positions.push_back(static_cast<std::int32_t>(starts[b] + static_cast<Dim>(i)));
    }
  }
  const auto N = static_cast<Dim>(ids.size());
  return {.layout = pack_lengths(lengths), .tokens = Tensor::from(ids, {N}), .positions = Tensor::from(positions, {N})};
}

}  // namespace

Tensor GptDecoder::advance(const TokenLists& tokens) {
  const Dim context = model_.config().context;
  bool too_long = false;
  Dim needed = 0;
  for (std::size_t b = 0; b < tokens.size(); ++b) {
    const auto length = static_cast<Dim>(seen_[b].size() + tokens[b].size());
    too_long = too_long || length > context;
    needed = std::max(needed, length);
  }
  const Dim capacity = cache_ == nullptr ? 0 : cache_->capacity();
  if (!too_long && needed <= capacity) return forward(tokens);

  // Starts again: each sequence's last tokens, in a cache with room for as many again.
  TokenLists all = std::move(seen_);
  seen_.assign(all.size(), {});
  for (std::size_t b = 0; b < all.size(); ++b) {
    all[b].insert(all[b].end(), tokens[b].begin(), tokens[b].end());
    const auto length = static_cast<Dim>(all[b].size());
    if (length > context) all[b].erase(all[b].begin(), all[b].end() - std::max<Dim>(1, context / 2));
  }
  const auto& c = model_.config();
  const Dim room = std::min(context, std::max(kFirstCapacity, 2 * std::min(needed, context)));
  cache_ = std::make_unique<KeyValueCache>(KeyValueCache::Options{.layers = c.layers,
                                                                  .sequences = static_cast<Dim>(all.size()),
                                                                  .capacity = room,
                                                                  .width = c.width,
                                                                  .dtype = model_.dtype()});
  return forward(all);
}

Tensor GptDecoder::forward(const TokenLists& tokens) {
  const NoGrad no_grad;
  std::vector<Dim> starts;
  for (const auto& s : seen_) starts.push_back(static_cast<Dim>(s.size()));
  const Stream stream = packed_stream(tokens, starts);
  Context ctx;
  const Variable states = model_.states(stream, ctx, *cache_);  // [N, C]
  for (std::size_t b = 0; b < tokens.size(); ++b) seen_[b].insert(seen_[b].end(), tokens[b].begin(), tokens[b].end());
  return model_.logits(model_.pooled(states, stream.layout)).value();  // [B, V]
}

void GptDecoder::reorder(std::span<const Dim> from) {
  TokenLists seen;
  for (const Dim source : from) seen.push_back(seen_[static_cast<std::size_t>(source)]);
  seen_ = std::move(seen);
  if (cache_ != nullptr) cache_->reorder(from);
}

}  // namespace rapt
