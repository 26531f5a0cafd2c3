// y = activation(x W^T + b), the layer that most of the time is spent in.
#pragma once

#include "autograd/ops/activation.h"
#include "nn/initializer.h"
#include "nn/lora.h"
#include "nn/module.h"

namespace rapt {

/// A matrix and, unless switched off, a bias; maybe low-rank adapters beside the matrix.
class Linear final : public Module {
 public:
  struct Options {
    Dim in = 0, out = 0;
    bool bias = true;
    InitStd std = 0.02;  ///< of the weights at the start; the bias starts at zero
    std::vector<AdapterOptions> adapters = {};
  };

  Linear(const Options& options, Initializer& init);

  /// \param x  [N, in]
  /// \return   [N, out]
  Variable forward(const Variable& x, Activation activation = Activation::kNone) const;
  /// The same with the adapters' dropouts, if there are any and ctx trains.
  Variable forward(const Variable& x, Context& ctx, Activation activation = Activation::kNone) const;

  const Variable& weight() const { return weight_; }
  const Variable& bias() const { return bias_; }
  bool has_adapters() const { return !adapters_.empty(); }
  /// Adds the adapters to the matrix and takes them away. \return  how many there were
  int merge_adapters();
  void visit(ParameterVisitor& v) override;

 private:
  Variable weight_;  // [out, in]
  Variable bias_;    // [out], or undefined
  std::vector<LowRankAdapter> adapters_;
};

}  // namespace rapt
