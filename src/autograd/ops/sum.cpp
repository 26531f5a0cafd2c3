#include "autograd/ops/sum.h"

#include "tensor/kernels/elementwise.h"

namespace rapt {

Variable sum(const Variable& x) {
  double total = 0;
  dispatch_float(x.dtype(), [&]<typename T>() { total = kernels::sum(x.value().data<T>(), x.value().size()); });
  return record("sum", Tensor::full({}, total, x.dtype()), {x}, [](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.slot(0);
    dispatch_float(dy.dtype(),
                   [&]<typename T>() { kernels::spread(dx.tensor.data<T>(), dy.item(), dx.tensor.size(), dx.write); });
  });
}

}  // namespace rapt
