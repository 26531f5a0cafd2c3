// The position-wise feed-forward network. Vaswani et al. 2017, arXiv 1706.03762, section 3.3.
#pragma once

#include <optional>

#include "nn/linear.h"

namespace rapt {

/// down(activation(up(x))) or, gated, down(activation(gate(x)) * up(x)): Shazeer 2020, "GLU Variants Improve
/// Transformer", arXiv 2002.05202; with SiLU, this is SwiGLU.
class FeedForward final : public Module {
 public:
  struct Options {
    Dim width = 0, inner = 0;
    Activation activation = Activation::kGelu;
    bool gated = false;
    bool bias = true;
    double dropout = 0;  ///< of the values between the two layers
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
  double dropout_;
  Linear up_, down_;
  std::optional<Linear> gate_;
};

}  // namespace rapt
