#include "nn/norm.h"

namespace rapt {

LayerNorm::LayerNorm(const Options& options, Initializer& init)
    : epsilon_(options.epsilon),
      gain_(init.ones({options.width})),
      bias_(options.bias ? init.zeros({options.width}) : Variable()) {}

Variable LayerNorm::forward(const Variable& x) const { return layer_norm(x, gain_, bias_, epsilon_); }

ResidualNorm LayerNorm::forward(const Variable& x, const Variable& residual, double dropout, Context& ctx) const {
  const DropoutKey key = ctx.dropout_key();
  return dropout_add_layer_norm(x, residual, gain_, bias_, epsilon_, ctx.training ? dropout : 0.0, key);
}

void LayerNorm::visit(ParameterVisitor& v) {
  v.parameter("gain", gain_);
  v.parameter("bias", bias_);
}

}  // namespace rapt
