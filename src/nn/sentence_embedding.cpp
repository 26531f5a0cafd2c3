#include "nn/sentence_embedding.h"

#include "autograd/ops/embedding.h"
#include "autograd/ops/mean_pool.h"
#include "autograd/ops/rms_norm.h"

namespace rapt {

std::span<const std::pair<Pooling, const char*>> pooling_names() {
  static constexpr std::pair<Pooling, const char*> kNames[] = {
      {Pooling::kMean, "mean"}, {Pooling::kFirst, "cls"}, {Pooling::kLast, "last"}};
  return kNames;
}

Variable pool(const Variable& states, const Packed& layout, Pooling pooling) {
  if (pooling == Pooling::kMean) return mean_pool(states, layout);
  return gather_rows(states, pooling == Pooling::kFirst ? first_rows(layout) : last_rows(layout));
}

Tensor sentence_embeddings(const Backbone& backbone, const Stream& input, Pooling pooling, bool normalize) {
  const NoGrad no_grad;
  Context ctx;
  const Variable vectors = pool(backbone.states({.input = input}, ctx), input.layout, pooling);  // [B, C]
  return normalize ? unit_rows(vectors).value() : vectors.value();
}

}  // namespace rapt
