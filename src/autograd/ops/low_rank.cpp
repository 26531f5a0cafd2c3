#include "autograd/ops/low_rank.h"

#include "autograd/ops/linear_gradients.h"
#include "tensor/kernels/low_rank.h"

namespace rapt {
namespace {

void check(const Variable& y, const Variable& x, const Variable& A, const Variable& B, Dim first) {
  require_shape(x.shape().rank() == 2, [&] { return "add_low_rank: x must be [N, in], got " + x.shape().to_string(); });
  require_shape(y.shape().rank() == 2 && y.shape()[0] == x.shape()[0], [&] {
    return "add_low_rank: y must be [" + std::to_string(x.shape()[0]) + ", out] for x " + x.shape().to_string() +
           ", got " + y.shape().to_string();
  });
  require_shape(A.shape().rank() == 2 && A.shape()[1] == x.shape()[1], [&] {
    return "add_low_rank: A must be [R, " + std::to_string(x.shape()[1]) + "] for x " + x.shape().to_string() +
           ", got " + A.shape().to_string();
  });
  require_shape(B.shape().rank() == 2 && B.shape()[1] == A.shape()[0], [&] {
    return "add_low_rank: B must be [K, " + std::to_string(A.shape()[0]) + "] for A " + A.shape().to_string() +
           ", got " + B.shape().to_string();
  });
  require_shape(first >= 0 && first + B.shape()[0] <= y.shape()[1], [&] {
    return "add_low_rank: columns [" + std::to_string(first) + ", " + std::to_string(first + B.shape()[0]) +
           ") must be columns of y, got " + y.shape().to_string();
  });
}

}  // namespace

Variable add_low_rank(const Variable& y, const Variable& x, const Variable& A, const Variable& B, Dim first,
                      double scale) {
  check(y, x, A, B, first);
  const Dim N = x.shape()[0], in = x.shape()[1], out = y.shape()[1], R = A.shape()[0], K = B.shape()[0];
  Tensor result = y.value().clone();
  const Tensor u = Tensor::empty({N, R}, x.dtype());  // scale * x A^T
  dispatch_float(x.dtype(), [&]<typename T>() {
    Tensor inner = u;
    kernels::low_rank_forward<T>({result.data<T>() + first, N, K, out}, inner.data<T>(), x.value().data<T>(),
                                 A.value().data<T>(), B.value().data<T>(), scale, in, R);
  });
  return record(
      "add_low_rank", result, {y, x, A, B},
      [x = x.value(), A = A.value(), B = B.value(), u, first, scale](const Tensor& dy, Grads d) {
        const Dim N = dy.shape()[0], out = dy.shape()[1], K = B.shape()[0], R = A.shape()[0];
        if (d.wants(1) || d.wants(2)) {
          Tensor g = Tensor::empty({N, R}, dy.dtype());
          dispatch_float(dy.dtype(), [&]<typename T>() {
            kernels::low_rank_inner_backward<T>(g.data<T>(), {dy.data<T>() + first, N, K, out}, B.data<T>(), scale, R);
          });
          give_linear_weight(d, 2, g, x);
          give_linear_input(d, 1, g, A);
        }
        if (d.wants(3)) {
          Grads::Slot dB = d.slot(3);
          dispatch_float(dy.dtype(), [&]<typename T>() {
            kernels::low_rank_up_backward<T>(dB.tensor.data<T>(), dB.write, {dy.data<T>() + first, N, K, out},
                                             u.data<T>(), R);
          });
        }
        if (d.wants(0)) d.give(0, dy);
      });
}

}  // namespace rapt
