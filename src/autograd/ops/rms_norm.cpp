#include "autograd/ops/rms_norm.h"

#include <cmath>
#include <sstream>

#include "tensor/kernels/rms_norm.h"

namespace rapt {

static void check(const Variable& x, const Variable& gain, double epsilon) {
  require_shape(x.shape().rank() >= 1 && x.shape().back() >= 1,
                [&] { return "rms_norm: x must be [..., C] with C of at least 1, got " + x.shape().to_string(); });
  require_shape(gain.shape() == Shape{x.shape().back()} && gain.dtype() == x.dtype(), [&] {
    std::ostringstream message;
    message << "rms_norm: gain must be [" << x.shape().back() << "] " << name_of(x.dtype()) << " for x "
            << x.shape().to_string() << ", got " << gain.shape().to_string() << " " << name_of(gain.dtype());
    return message.str();
  });
  if (!(epsilon > 0)) {
    std::ostringstream message;
    message << "rms_norm: epsilon must be positive, got " << epsilon;
    throw std::invalid_argument(message.str());
  }
}

Variable rms_norm(const Variable& x, const Variable& gain, double epsilon) {
  check(x, gain, epsilon);
  const Dim N = x.shape().rows(), C = x.shape().back();
  Tensor y = Tensor::empty(x.shape(), x.dtype()), recip = Tensor::empty({N}, x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::rms_norm_forward<T>(y.data<T>(), recip.data<T>(), x.value().data<T>(), gain.value().data<T>(), epsilon, N,
                                 C);
  });
  return record("rms_norm", y, {x, gain}, [x = x.value(), gain = gain.value(), recip, N, C](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.wants(0) ? d.slot(0) : Grads::Slot{Tensor::empty(dy.shape(), dy.dtype()), Write::kAssign};
    dispatch_float(dy.dtype(), [&]<typename T>() {
      T* const dgain = d.wants(1) ? d.data<T>(1) : nullptr;
      kernels::rms_norm_backward<T>(dx.tensor.data<T>(), dx.write, dgain, dy.data<T>(), x.data<T>(), recip.data<T>(),
                                    gain.data<T>(), N, C);
    });
  });
}

// x / |x| = x / sqrt(C mean(x^2)): a root-mean-square norm with gain 1 / sqrt(C).
Variable unit_rows(const Variable& x) {
  require_shape(x.shape().rank() >= 1, "unit_rows: x must have at least one axis, got a scalar");
  const Dim C = x.shape().back();
  const Variable gain(Tensor::full({C}, 1 / std::sqrt(static_cast<double>(C)), x.dtype()));
  return rms_norm(x, gain, 1e-24);  // small compared with any length that f32 can square
}

}  // namespace rapt
