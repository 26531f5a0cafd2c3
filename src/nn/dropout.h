// Dropout as a layer: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way to Prevent
// Neural Networks from Overfitting", JMLR 15, 2014.
#pragma once

#include "nn/context.h"
#include "nn/module.h"

namespace rapt {

/// During training, zeroes elements with probability p and multiplies the others by 1 / (1 - p).
class Dropout final {
 public:
  explicit Dropout(double p) : p_(p) {}

  double p() const { return p_; }
  Variable forward(const Variable& x, Context& ctx) const;
  /// residual + forward(x), in one pass.
  Variable forward(const Variable& x, const Variable& residual, Context& ctx) const;

 private:
  double p_;
};

}  // namespace rapt
