// y = activation(x W^T + b): the layer in which most of the time is spent.
#pragma once

#include "autograd/ops/activation.h"
#include "nn/initializer.h"
#include "nn/lora.h"
#include "nn/module.h"

namespace rapt {

/// A matrix, a bias unless switched off, and optional low-rank adapters.
class Linear final : public Module {
 public:
  struct Options {
    Dim in = 0, out = 0;
    bool bias = true;
    InitStd std = 0.02;  ///< of the initial weights; the initial bias is zero
    std::vector<AdapterOptions> adapters = {};
  };

  Linear(const Options& options, Initializer& init);

  /// \param x  [N, in]
  /// \return   [N, out]
  Variable forward(const Variable& x, Activation activation = Activation::kNone) const;
  /// The same with the adapters' dropouts, if there are adapters and ctx is a training pass.
  Variable forward(const Variable& x, Context& ctx, Activation activation = Activation::kNone) const;

  const Variable& weight() const { return weight_; }
  const Variable& bias() const { return bias_; }
  bool has_adapters() const { return !adapters_.empty(); }
  /// Merges the adapters into the matrix and removes them. \return  the number of adapters
  int merge_adapters();
  void visit(ParameterVisitor& v) override;

 private:
  Variable weight_;  // [out, in]
  Variable bias_;    // [out], or undefined
  std::vector<LowRankAdapter> adapters_;
};

}  // namespace rapt
