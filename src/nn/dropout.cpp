#include "nn/dropout.h"

#include "autograd/ops/dropout.h"

namespace rapt {

Variable Dropout::forward(const Variable& x, Context& ctx) const {
  const DropoutKey key = ctx.dropout_key();
  return dropout(x, ctx.training ? p_ : 0.0, key);
}

Variable Dropout::forward(const Variable& x, const Variable& residual, Context& ctx) const {
  const DropoutKey key = ctx.dropout_key();
  return dropout_add(x, residual, ctx.training ? p_ : 0.0, key);
}

}  // namespace rapt
