#include "autograd/ops/softmax.h"

#include "tensor/kernels/softmax.h"

namespace rapt {

Variable softmax(const Variable& x) {
  require_shape(x.shape().rank() >= 1, "softmax: x must have at least one axis, got a scalar");
  const Dim N = x.shape().rows(), C = x.shape().back();
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() { kernels::softmax_forward<T>(y.data<T>(), x.value().data<T>(), N, C); });
  return record("softmax", y, {x}, [y, N, C](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.slot(0);
    dispatch_float(y.dtype(), [&]<typename T>() {
      kernels::softmax_backward<T>(dx.tensor.data<T>(), dx.write, dy.data<T>(), y.data<T>(), N, C);
    });
  });
}

}  // namespace rapt
