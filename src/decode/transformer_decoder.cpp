#include "decode/transformer_decoder.h"

#include "tensor/matmul.h"

namespace rapt {

static SourceCache encoded(const Transformer& model, const Stream& source) {
  const NoGrad no_grad;
  const SteadyProducts steady;
  Context ctx;
  return {source.layout, model.keys_and_values(model.encode(source, ctx))};
}

TransformerDecoder::TransformerDecoder(const Transformer& model, const Stream& source)
    : model_(model),
      sources_(encoded(model, source)),
      cache_({.layers = model.config().decoder_depth(),
              .sequences = source.layout.sequences(),
              .width = model.width(),
              .dtype = model.dtype()}) {}

Tensor TransformerDecoder::advance(const TokenLists& tokens) {
  const NoGrad no_grad;
  const SteadyProducts steady;
  std::vector<Dim> starts;
  for (Dim b = 0; b < cache_.sequences(); ++b) starts.push_back(cache_.length(b));
  const Stream input = continued_stream(tokens, starts);
  Context ctx;
  const Variable states =
      model_.decode_cached(input, cache_, sources_, ctx, keeps_attention_ ? &weights_ : nullptr);  // [N, C]
  return model_.logits(model_.pooled(states, input.layout)).value();                               // [B, V]
}

void TransformerDecoder::reorder(std::span<const Dim> from) {
  sources_.reorder(from);
  cache_.reorder(from);
}

SourceWeights TransformerDecoder::attention() const {
  SourceWeights result{.offsets = {0}, .weights = weights_};
  for (Dim b = 0; b < sources_.sequences(); ++b) {
    result.offsets.push_back(result.offsets.back() + static_cast<std::size_t>(sources_.rows(b)));
  }
  return result;
}

}  // namespace rapt
