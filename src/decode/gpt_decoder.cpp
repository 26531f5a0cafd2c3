#include "decode/gpt_decoder.h"

#include <algorithm>

#include "tensor/matmul.h"

namespace rapt {

GptDecoder::GptDecoder(const Gpt& model, std::size_t sequences)
    : model_(model),
      cache_({.layers = model.config().layers,
              .sequences = static_cast<Dim>(sequences),
              .width = model.config().width,
              .dtype = model.dtype()}),
      seen_(sequences) {}

Tensor GptDecoder::advance(const TokenLists& tokens) {
  const NoGrad no_grad;
  const SteadyProducts steady;
  const auto context = static_cast<std::size_t>(model_.config().context);
  TokenLists added = tokens;
  std::vector<Dim> starts;
  for (std::size_t b = 0; b < added.size(); ++b) {
    std::vector<std::int32_t>& seen = seen_[b];
    if (seen.size() + added[b].size() > context) {
      added[b].insert(added[b].begin(), seen.begin(), seen.end());
      const std::size_t kept = std::max<std::size_t>(1, context / 2);
      added[b].erase(added[b].begin(), added[b].end() - static_cast<std::ptrdiff_t>(kept));
      seen.clear();
      cache_.clear(static_cast<Dim>(b));
    }
    starts.push_back(static_cast<Dim>(seen.size()));
    seen.insert(seen.end(), added[b].begin(), added[b].end());
  }
  const Stream stream = continued_stream(added, starts);
  Context ctx;
  const Variable states = model_.states(stream, ctx, cache_);          // [N, C]
  return model_.logits(model_.pooled(states, stream.layout)).value();  // [B, V]
}

void GptDecoder::reorder(std::span<const Dim> from) {
  TokenLists seen;
  for (const Dim source : from) seen.push_back(seen_[static_cast<std::size_t>(source)]);
  seen_ = std::move(seen);
  cache_.reorder(from);
}

}  // namespace rapt
