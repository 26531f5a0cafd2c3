// The position-wise feed-forward network. Vaswani et al. 2017, arXiv 1706.03762, section 3.3.
#pragma once

#include "nn/linear.h"

namespace rapt {

/// down(activation(up(x))).
class FeedForward final : public Module {
 public:
  struct Options {
    Dim width = 0, inner = 0;
    Activation activation = Activation::kGelu;
    bool bias = true;
    InitStd std = 0.02, out_std = 0.02;
    LoraOptions lora = {};
  };

  FeedForward(const Options& options, Initializer& init);

  /// \param x  [N, C]
  /// \return   [N, C]
  Variable forward(const Variable& x, Context& ctx) const;
  void visit(ParameterVisitor& v) override;

 private:
  Activation activation_;
  Linear up_, down_;
};

}  // namespace rapt
