#include "nn/linear.h"

#include "autograd/ops/linear.h"

namespace rapt {

Linear::Linear(const Options& options, Initializer& init)
    : weight_(init.normal({options.out, options.in}, options.std)),
      bias_(options.bias ? init.zeros({options.out}) : Variable()) {
  for (const AdapterOptions& adapter : options.adapters) adapters_.emplace_back(adapter, options.in, init);
}

Variable Linear::forward(const Variable& x, Activation f) const {
  Context evaluating;
  return forward(x, evaluating, f);
}

Variable Linear::forward(const Variable& x, Context& ctx, Activation f) const {
  if (adapters_.empty()) return linear(x, weight_, bias_, f);
  Variable y = linear(x, weight_, bias_);
  for (const LowRankAdapter& adapter : adapters_) y = adapter.add_to(y, x, ctx);
  return f == Activation::kNone ? y : activation(y, f);
}

int Linear::merge_adapters() {
  for (const LowRankAdapter& adapter : adapters_) adapter.merge_into(weight_.value());
  const auto merged = static_cast<int>(adapters_.size());
  adapters_.clear();
  return merged;
}

void Linear::visit(ParameterVisitor& v) {
  v.parameter("weight", weight_);
  v.parameter("bias", bias_);
  for (LowRankAdapter& adapter : adapters_) v.child(adapter.name(), adapter);
}

}  // namespace rapt
