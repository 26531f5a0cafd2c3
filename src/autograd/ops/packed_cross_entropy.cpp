#include "autograd/ops/packed_cross_entropy.h"

#include <numeric>
#include <stdexcept>
#include <string>

#include "tensor/kernels/packed_cross_entropy.h"

namespace rapt {

static void check(const Variable& x, const Packed& layout, const Tensor& targets) {
  require_shape(x.shape().rank() == 2 && x.shape()[0] == layout.rows(), [&] {
    return "packed_cross_entropy: x must be [" + std::to_string(layout.rows()) + ", K] for this layout, got " +
           x.shape().to_string();
  });
  const Dim B = layout.sequences(), K = x.shape()[1];
  require_shape(targets.shape() == Shape{B, K} && targets.dtype() == DType::kI32, [&] {
    return "packed_cross_entropy: targets must be " + Shape{B, K}.to_string() + " i32, got " +
           targets.shape().to_string() + " " + name_of(targets.dtype());
  });
  const auto offsets = layout.offsets.span<std::int32_t>();
  for (Dim b = 0; b < B; ++b) {
    const std::int32_t length = offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)];
    require_shape(length > 0, [&] { return "packed_cross_entropy: sequence " + std::to_string(b) + " is empty"; });
    for (Dim k = 0; k < K; ++k) {
      const std::int32_t target = targets.data<std::int32_t>()[b * K + k];
      if (target >= 0 && target < length) continue;
      throw std::invalid_argument("packed_cross_entropy: target " + std::to_string(k) + " of sequence " +
                                  std::to_string(b) + " must be in [0, " + std::to_string(length) + "), got " +
                                  std::to_string(target));
    }
  }
}

Variable packed_cross_entropy(const Variable& x, const Packed& layout, const Tensor& targets, double scale) {
  check(x, layout, targets);
  const Dim K = x.shape()[1];
  std::vector<double> losses(static_cast<std::size_t>(targets.size())), lse(losses.size());
  dispatch_float(x.dtype(), [&]<typename T>() {
    kernels::packed_cross_entropy_forward<T>(losses.data(), lse.data(), x.value().data<T>(),
                                             layout.offsets.span<std::int32_t>(), targets.data<std::int32_t>(), K);
  });
  const double loss = scale * std::accumulate(losses.begin(), losses.end(), 0.0);
  return record(
      "packed_cross_entropy", Tensor::full({}, loss, x.dtype()), {x},
      [x = x.value(), offsets = layout.offsets, targets, lse = std::move(lse), scale, K](const Tensor& dy, Grads d) {
        Grads::Slot dx = d.slot(0);
        dispatch_float(x.dtype(), [&]<typename T>() {
          kernels::packed_cross_entropy_backward<T>(dx.tensor.data<T>(), dx.write, x.data<T>(),
                                                    offsets.span<std::int32_t>(), targets.data<std::int32_t>(),
                                                    lse.data(), scale * dy.item(), K);
        });
      });
}

}  // namespace rapt
