// Layer normalisation as a layer.
#pragma once

#include "autograd/ops/layer_norm.h"
#include "nn/context.h"
#include "nn/initializer.h"
#include "nn/module.h"

namespace rapt {

/// gain * (x - mean) / sqrt(variance + epsilon) + bias, per row. Ba, Kiros, Hinton, "Layer Normalization", 2016,
/// arXiv 1607.06450.
class LayerNorm final : public Module {
 public:
  struct Options {
    Dim width = 0;
    double epsilon = 1e-5;
    bool bias = true;
  };

  LayerNorm(const Options& options, Initializer& init);

  Variable forward(const Variable& x) const;
  /// {sum = residual + dropout(x), normed = forward(sum)} in one pass over memory.
  ResidualNorm forward(const Variable& x, const Variable& residual, double dropout, Context& ctx) const;
  void visit(ParameterVisitor& v) override;

 private:
  double epsilon_;
  Variable gain_, bias_;  // [width]; the bias may be undefined
};

}  // namespace rapt
