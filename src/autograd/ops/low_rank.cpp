#include "autograd/ops/low_rank.h"

#include "autograd/ops/linear_gradients.h"
#include "tensor/kernels/low_rank.h"
#include "tensor/kernels/narrow.h"

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

// Columns [first, first + K) of dy as an operand: where they are, or narrowed into `copy`.
template <typename T, typename Operand>
Matrix<const Operand> columns_of(const Tensor& dy, Dim first, Dim K, Tensor& copy) {
  const Dim N = dy.shape()[0], out = dy.shape()[1];
  const T* const data = dy.data<T>() + first;
  if constexpr (std::is_same_v<T, Operand>) {
    return {data, N, K, out};
  } else {
    copy = Tensor::empty({N, K}, DType::kBF16);
    kernels::narrow_rows(copy.data<Bf16>(), data, N, K, out);
    return {copy.data<Bf16>(), N, K};
  }
}

}  // namespace

Variable add_low_rank(const Variable& y, const Variable& x, const Variable& A, const Variable& B, Dim first,
                      double scale) {
  check(y, x, A, B, first);
  const Dim N = x.shape()[0], in = x.shape()[1], out = y.shape()[1], R = A.shape()[0], K = B.shape()[0];
  const Tensor inputs = operand(x.value()), down = weight_operand(A.value()), up = weight_operand(B.value());
  Tensor result = y.value().clone();
  Tensor u = Tensor::empty({N, R}, x.dtype());  // scale * x A^T, then as an operand
  dispatch_operand(inputs, [&]<typename T, typename Operand>() {
    kernels::low_rank_inner_forward<T, Operand>(u.data<T>(), inputs.data<Operand>(), down.data<Operand>(), scale, N, in,
                                                R);
    u = operand_like(inputs, u);
    kernels::low_rank_up_forward<T, Operand>({result.data<T>() + first, N, K, out}, u.data<Operand>(),
                                             up.data<Operand>(), R);
  });
  return record("add_low_rank", result, {y, x, A, B}, [inputs, down, up, u, first, scale](const Tensor& dy, Grads d) {
    dispatch_operand(inputs, [&]<typename T, typename Operand>() {
      if (!d.wants(1) && !d.wants(2) && !d.wants(3)) return;
      const Dim N = dy.shape()[0], K = up.shape()[0], R = up.shape()[1];
      Tensor copy;
      const Matrix<const Operand> gradients = columns_of<T, Operand>(dy, first, K, copy);
      if (d.wants(1) || d.wants(2)) {
        Tensor g = Tensor::empty({N, R}, dy.dtype());
        kernels::low_rank_inner_backward<T, Operand>(g.data<T>(), gradients, up.data<Operand>(), scale, R);
        g = operand_like(inputs, g);
        give_linear_weight(d, 2, g, inputs);
        give_linear_input(d, 1, g, down);
      }
      if (d.wants(3)) {
        Grads::Slot dB = d.slot(3);
        kernels::low_rank_up_backward<T, Operand>(dB.tensor.data<T>(), dB.write, gradients, u.data<Operand>(), R);
      }
    });
    if (d.wants(0)) d.give(0, dy);
  });
}

}  // namespace rapt
