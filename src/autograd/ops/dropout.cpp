#include "autograd/ops/dropout.h"

#include <sstream>

#include "autograd/ops/elementwise.h"
#include "tensor/kernels/dropout.h"

namespace rapt {

static void require_probability(const char* op, double p) {
  if (p >= 0 && p < 1) return;
  std::ostringstream message;
  message << op << ": p must be at least 0 and less than 1, got " << p;
  throw std::invalid_argument(message.str());
}

static void dropout_backward(const Tensor& dy, const kernels::DropoutRule& rule, Grads& d) {
  if (!d.wants(0)) return;
  Grads::Slot dx = d.slot(0);
  dispatch_float(dy.dtype(), [&]<typename T>() {
    T* const out = dx.tensor.data<T>();
    kernels::dropout<T>(out, dy.data<T>(), dx.write == Write::kAdd ? out : nullptr, dy.shape().rows(),
                        dy.shape().back(), rule);
  });
}

Variable dropout(const Variable& x, double p, DropoutKey key) {
  require_probability("dropout", p);
  if (p == 0) return x;
  const kernels::DropoutRule rule(p, key);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::dropout<T>(y.data<T>(), x.value().data<T>(), nullptr, y.shape().rows(), y.shape().back(), rule);
  });
  return record("dropout", y, {x}, [rule](const Tensor& dy, Grads d) { dropout_backward(dy, rule, d); });
}

Variable dropout_add(const Variable& x, const Variable& residual, double p, DropoutKey key) {
  require_probability("dropout_add", p);
  require_shape(x.shape() == residual.shape() && x.dtype() == residual.dtype(), [&] {
    return "dropout_add: x and residual must have the same shape and type, got " + x.shape().to_string() + " " +
           name_of(x.dtype()) + " and " + residual.shape().to_string() + " " + name_of(residual.dtype());
  });
  if (p == 0) return add(x, residual);
  const kernels::DropoutRule rule(p, key);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::dropout<T>(y.data<T>(), x.value().data<T>(), residual.value().data<T>(), y.shape().rows(),
                        y.shape().back(), rule);
  });
  return record("dropout_add", y, {x, residual}, [rule](const Tensor& dy, Grads d) {
    dropout_backward(dy, rule, d);
    d.give(1, dy);
  });
}

}  // namespace rapt
