#include "autograd/ops/linear.h"

#include "autograd/ops/linear_gradients.h"

namespace rapt {

static void check(const Variable& x, const Variable& weight, const Variable& bias) {
  require_shape(x.shape().rank() == 2, [&] { return "linear: x must be [N, in], got " + x.shape().to_string(); });
  require_shape(weight.shape().rank() == 2 && weight.shape()[1] == x.shape()[1], [&] {
    return "linear: weight must be [out, " + std::to_string(x.shape()[1]) + "] for x " + x.shape().to_string() +
           ", got " + weight.shape().to_string();
  });
  require_shape(!bias.defined() || bias.shape() == Shape{weight.shape()[0]}, [&] {
    return "linear: bias must be [" + std::to_string(weight.shape()[0]) + "] for weight " + weight.shape().to_string() +
           ", got " + bias.shape().to_string();
  });
}

Variable linear(const Variable& x, const Variable& weight, const Variable& bias, Activation f) {
  check(x, weight, bias);
  const Dim N = x.shape()[0], in = x.shape()[1], out = weight.shape()[0];
  Tensor y = Tensor::empty({N, out}, x.dtype());
  Tensor pre;  // x W^T + b, if the backward pass needs it
  if (!kernels::backward_from_output(f) && is_recording({&x, &weight, &bias}))
    pre = Tensor::empty(y.shape(), y.dtype());
  const Tensor inputs = operand(x.value()), weights = weight_operand(weight.value());
  dispatch_operand(inputs, [&]<typename T, typename Operand>() {
    kernels::linear_forward<T, Operand>(y.data<T>(), pre.defined() ? pre.data<T>() : nullptr, inputs.data<Operand>(),
                                        weights.data<Operand>(), bias.defined() ? bias.value().data<T>() : nullptr, N,
                                        in, out, f);
  });

  Tensor saved = pre.defined() ? pre : f == Activation::kNone ? Tensor() : y;
  return record("linear", y, {x, weight, bias}, [inputs, weights, saved, f](const Tensor& dy, Grads d) {
    Tensor g = dy;
    if (saved.defined()) {
      g = Tensor::empty(dy.shape(), dy.dtype());
      give_activation_and_bias(d, 2, g, dy, saved, f);
    } else {
      give_linear_bias(d, 2, g);
    }
    const Tensor gradients = operand_like(inputs, g);
    give_linear_weight(d, 1, gradients, inputs);
    give_linear_input(d, 0, gradients, weights);
  });
}

}  // namespace rapt
