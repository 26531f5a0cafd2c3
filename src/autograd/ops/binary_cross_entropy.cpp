#include "autograd/ops/binary_cross_entropy.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tensor/kernels/binary_cross_entropy.h"

namespace rapt {

Variable binary_cross_entropy(const Variable& x, const Tensor& targets, double scale) {
  require_shape(x.shape() == targets.shape() && x.dtype() == targets.dtype(), [&] {
    return "binary_cross_entropy: targets must be " + x.shape().to_string() + " " + name_of(x.dtype()) + ", got " +
           targets.shape().to_string() + " " + name_of(targets.dtype());
  });
  double loss = 0;
  dispatch_float(x.dtype(), [&]<typename T>() {
    const std::span<const T> all = targets.span<T>();
    const auto wrong = std::ranges::find_if_not(all, [](T t) { return t >= 0 && t <= 1; });
    if (wrong != all.end()) {
      std::ostringstream message;
      message << "binary_cross_entropy: targets must be in [0, 1], got " << *wrong;
      throw std::invalid_argument(message.str());
    }
    loss = scale * kernels::binary_cross_entropy_forward<T>(x.value().data<T>(), targets.data<T>(), targets.size());
  });
  return record("binary_cross_entropy", Tensor::full({}, loss, x.dtype()), {x},
                [x = x.value(), targets, scale](const Tensor& dy, Grads d) {
                  Grads::Slot dx = d.slot(0);
                  dispatch_float(x.dtype(), [&]<typename T>() {
                    kernels::binary_cross_entropy_backward<T>(dx.tensor.data<T>(), dx.write, x.data<T>(),
                                                              targets.data<T>(), scale * dy.item(), x.size());
                  });
                });
}

}  // namespace rapt
