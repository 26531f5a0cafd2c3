#include "autograd/ops/feed_forward.h"

#include "autograd/ops/linear_gradients.h"
#include "autograd/ops/operands.h"

namespace rapt {
namespace {

void check_layer(const char* name, const Shape& x, const Variable& weight, const Variable& bias) {
  require_shape(weight.shape().rank() == 2 && weight.shape()[1] == x[1], [&] {
    return std::string("feed_forward: ") + name + " must be [out, " + std::to_string(x[1]) + "] for input " +
           x.to_string() + ", got " + weight.shape().to_string();
  });
  require_shape(!bias.defined() || bias.shape() == Shape{weight.shape()[0]}, [&] {
    return std::string("feed_forward: ") + name + "_bias must be [" + std::to_string(weight.shape()[0]) + "], got " +
           bias.shape().to_string();
  });
}

// f(x U^T + a), of what was kept: itself, or x U^T + a.
Tensor hidden_again(const Tensor& saved, Activation f) {
  if (kernels::backward_from_output(f)) return saved;
  Tensor hidden = Tensor::empty(saved.shape(), saved.dtype());
  dispatch_operand(saved, [&]<typename T, typename Kept>() {
    kernels::activation_forward<Kept>(hidden.data<Kept>(), saved.data<Kept>(), saved.size(), f);
  });
  return hidden;
}

}  // namespace

Variable feed_forward(const Variable& x, const Variable& up, const Variable& up_bias, const Variable& down,
                      const Variable& down_bias, Activation f) {
  require_shape(x.shape().rank() == 2, [&] { return "feed_forward: x must be [N, C], got " + x.shape().to_string(); });
  check_layer("up", x.shape(), up, up_bias);
  const Dim N = x.shape()[0], C = x.shape()[1], F = up.shape()[0], out = down.shape()[0];
  check_layer("down", Shape{N, F}, down, down_bias);

  const Tensor inputs = operand(x.value());
  const Tensor ups = weight_operand(up.value()), downs = weight_operand(down.value());
  Tensor hidden = Tensor::empty({N, F}, inputs.dtype());  // f(x U^T + a), an operand
  Tensor pre;                                             // x U^T + a
  const bool recording = is_recording({&x, &up, &up_bias, &down, &down_bias});
  if (recording && !kernels::backward_from_output(f)) pre = Tensor::empty({N, F}, inputs.dtype());
  Tensor y = Tensor::empty({N, out}, x.dtype());
  dispatch_operand(inputs, [&]<typename T, typename Operand>() {
    {
      Tensor sums = hidden.dtype() == x.dtype() ? Tensor() : Tensor::empty({N, F}, x.dtype());
      kernels::hidden_forward<T, Operand>(hidden.data<Operand>(), pre.defined() ? pre.data<Operand>() : nullptr,
                                          sums.defined() ? sums.data<T>() : nullptr, inputs.data<Operand>(),
                                          ups.data<Operand>(), data_or_null<T>(up_bias), N, C, F, f);
    }
    kernels::linear_forward<T, Operand>(y.data<T>(), nullptr, hidden.data<Operand>(), downs.data<Operand>(),
                                        data_or_null<T>(down_bias), N, F, out, Activation::kNone);
  });

  const Tensor saved = pre.defined() ? pre : hidden;
  return record(
      "feed_forward", y, {x, up, up_bias, down, down_bias}, [inputs, ups, downs, saved, f](const Tensor& dy, Grads d) {
        give_linear_bias(d, 4, dy);
        const Tensor outer = operand_like(inputs, dy);
        if (d.wants(3)) give_linear_weight(d, 3, outer, hidden_again(saved, f));
        if (!d.wants(0) && !d.wants(1) && !d.wants(2)) return;
        Tensor dhidden = Tensor::empty(saved.shape(), dy.dtype());
        dispatch_operand(outer, [&]<typename T, typename Operand>() {
          kernels::linear_input_backward<T, Operand>(dhidden.data<T>(), Write::kAssign,
                                                     {outer.data<Operand>(), dy.shape()[0], dy.shape()[1]},
                                                     downs.data<Operand>(), downs.shape()[1]);
        });
        Tensor inner = dhidden.dtype() == saved.dtype() ? dhidden : Tensor::empty(saved.shape(), saved.dtype());
        give_activation_and_bias(d, 2, inner, dhidden, saved, f);
        dhidden = Tensor();  // its memory serves the next gradients
        give_linear_weight(d, 1, inner, inputs);
        give_linear_input(d, 0, inner, ups);
      });
}

}  // namespace rapt
