#include "nn/models/language_model.h"

#include "autograd/ops/linear_cross_entropy.h"

namespace rapt {

Variable LanguageModel::loss(const Batch& batch, const LossShare& share, Context& ctx) const {
  const NextTokenBackbone::StatesAndHead pass = backbone_->states_and_head(batch, ctx);
  return linear_cross_entropy(pass.states, pass.head, pass.bias, batch.targets.rows, batch.targets.ids,
                              {.label_smoothing = share.label_smoothing, .scale = 1 / share.targets});
}

Tensor LanguageModel::log_probabilities(const Batch& batch) const {
  const NoGrad no_grad;
  Context ctx;
  const NextTokenBackbone::StatesAndHead pass = backbone_->states_and_head(batch, ctx);
  return target_log_probabilities(pass.states.value(), pass.head.value(),
                                  pass.bias.defined() ? pass.bias.value() : Tensor(), batch.targets.rows,
                                  batch.targets.ids);
}

}  // namespace rapt
