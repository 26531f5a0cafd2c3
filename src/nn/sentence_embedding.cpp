#include "nn/sentence_embedding.h"

#include <stdexcept>
#include <string>

#include "autograd/ops/embedding.h"
#include "autograd/ops/mean_pool.h"
#include "autograd/ops/rms_norm.h"

namespace rapt {

Pooling pooling_from_name(std::string_view name) {
  if (name == "mean") return Pooling::kMean;
  if (name == "cls") return Pooling::kFirst;
  if (name == "last") return Pooling::kLast;
  throw std::invalid_argument("pool: must be one of mean, cls, last, got " + std::string(name));
}

Variable pool(const Variable& states, const Packed& layout, Pooling pooling) {
  if (pooling == Pooling::kMean) return mean_pool(states, layout);
  return gather_rows(states, pooling == Pooling::kFirst ? first_rows(layout) : last_rows(layout));
}

Tensor sentence_embeddings(const Backbone& backbone, const Stream& input, Pooling pooling, bool normalize) {
  const NoGrad no_grad;
  Context ctx;
  const Variable vectors = pool(backbone.states(input, ctx), input.layout, pooling);  // [B, C]
  return normalize ? unit_rows(vectors).value() : vectors.value();
}

}  // namespace rapt
