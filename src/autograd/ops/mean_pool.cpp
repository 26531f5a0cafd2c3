#include "autograd/ops/mean_pool.h"

#include <string>

#include "tensor/kernels/mean_pool.h"

namespace rapt {

static void check(const Variable& x, const Packed& layout) {
  require_shape(x.shape().rank() == 2 && x.shape()[0] == layout.rows(), [&] {
    return "mean_pool: x must be [" + std::to_string(layout.rows()) + ", C] for this layout, got " +
           x.shape().to_string();
  });
  const auto offsets = layout.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    require_shape(offsets[b] < offsets[b + 1],
                  [&] { return "mean_pool: sequence " + std::to_string(b) + " is empty and has no mean"; });
  }
}

Variable mean_pool(const Variable& x, const Packed& layout) {
  check(x, layout);
  const Dim C = x.shape()[1];
  Tensor y = Tensor::empty({layout.sequences(), C}, x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::mean_pool_forward<T>(y.data<T>(), x.value().data<T>(), layout.offsets.span<std::int32_t>(), C);
  });
  return record("mean_pool", y, {x}, [offsets = layout.offsets, C](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.slot(0);
    dispatch_float(dy.dtype(), [&]<typename T>() {
      kernels::mean_pool_backward<T>(dx.tensor.data<T>(), dx.write, dy.data<T>(), offsets.span<std::int32_t>(), C);
    });
  });
}

}  // namespace rapt
