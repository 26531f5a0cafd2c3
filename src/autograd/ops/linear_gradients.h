// The gradients of x W^T + b, given g, the gradient of the result. Shared by the ops that begin or end with a product.
#pragma once

#include "autograd/ops/operands.h"
#include "autograd/variable.h"
#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/linear.h"

namespace rapt {

/// Adds g W to the gradient of x, which is input `i` of the op. g [N, out] and W [out, in] are operands of one type.
inline void give_linear_input(Grads& d, std::size_t i, const Tensor& g, const Tensor& W) {
  if (!d.wants(i)) return;
  Grads::Slot dx = d.slot(i);
  dispatch_operand(g, [&]<typename T, typename Operand>() {
    kernels::linear_input_backward<T, Operand>(dx.tensor.data<T>(), dx.write,
                                               {g.data<Operand>(), g.shape()[0], g.shape()[1]}, W.data<Operand>(),
                                               W.shape()[1]);
  });
}

/// Adds g^T x to the gradient of W, which is input `i` of the op. g [N, out] and x [N, in] are operands of one type.
inline void give_linear_weight(Grads& d, std::size_t i, const Tensor& g, const Tensor& x) {
  if (!d.wants(i)) return;
  Grads::Slot dW = d.slot(i);
  dispatch_operand(g, [&]<typename T, typename Operand>() {
    kernels::linear_weight_backward<T, Operand>(dW.tensor.data<T>(), dW.write,
                                                {g.data<Operand>(), g.shape()[0], g.shape()[1]}, x.data<Operand>(),
                                                x.shape()[1]);
  });
}

/// Adds the sums of g's columns to the gradient of b, which is input `i` of the op.
inline void give_linear_bias(Grads& d, std::size_t i, const Tensor& g) {
  if (!d.wants(i)) return;
  Grads::Slot db = d.slot(i);
  dispatch_float(g.dtype(), [&]<typename T>() {
    kernels::column_sums<T>(db.tensor.data<T>(), db.write, {g.data<T>(), g.shape()[0], g.shape()[1]});
  });
}

/// Turns dy, the gradient of f(x W^T + b), into g, which has the type of `saved` (and may be dy if that is dy's), and
/// adds the sums of g's columns to the gradient of b, which is input `i` of the op.
///
/// \param saved  the tensor that kernels::backward_from_output(f) requires, as it is or in bf16
inline void give_activation_and_bias(Grads& d, std::size_t i, Tensor& g, const Tensor& dy, const Tensor& saved,
                                     Activation f) {
  dispatch_operand(saved, [&]<typename T, typename Kept>() {
    if (d.wants(i)) {
      Grads::Slot db = d.slot(i);
      kernels::activation_bias_backward<Kept>(g.data<Kept>(), db.tensor.data<T>(), db.write, dy.data<T>(),
                                              saved.data<Kept>(), dy.shape()[0], dy.shape()[1], f);
    } else {
      kernels::activation_backward<Kept>(g.data<Kept>(), dy.data<T>(), saved.data<Kept>(), dy.size(), f,
                                         Write::kAssign);
    }
  });
}

}  // namespace rapt
