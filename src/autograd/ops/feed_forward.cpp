#include "autograd/ops/feed_forward.h"

#include "autograd/ops/linear_gradients.h"

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

template <typename T>
const T* data_or_null(const Variable& bias) {
  return bias.defined() ? bias.value().data<T>() : nullptr;
}

}  // namespace

Variable feed_forward(const Variable& x, const Variable& up, const Variable& up_bias, const Variable& down,
                      const Variable& down_bias, Activation f) {
  require_shape(x.shape().rank() == 2, [&] { return "feed_forward: x must be [N, C], got " + x.shape().to_string(); });
  check_layer("up", x.shape(), up, up_bias);
  const Dim N = x.shape()[0], C = x.shape()[1], F = up.shape()[0], out = down.shape()[0];
  check_layer("down", Shape{N, F}, down, down_bias);

  Tensor hidden = Tensor::empty({N, F}, x.dtype());  // f(x U^T + a)
  Tensor pre;                                        // x U^T + a
  const bool recording = is_recording({&x, &up, &up_bias, &down, &down_bias});
  if (recording && !kernels::backward_from_output(f)) pre = Tensor::empty(hidden.shape(), x.dtype());
  Tensor y = Tensor::empty({N, out}, x.dtype());
  const Tensor inputs = operand(x.value());
  const Tensor ups = weight_operand(up.value()), downs = weight_operand(down.value());
  dispatch_operand(inputs, [&]<typename T, typename Operand>() {
    kernels::linear_forward<T, Operand>(hidden.data<T>(), pre.defined() ? pre.data<T>() : nullptr,
                                        inputs.data<Operand>(), ups.data<Operand>(), data_or_null<T>(up_bias), N, C, F,
                                        f);
    kernels::linear_forward<T, Operand>(y.data<T>(), nullptr, operand_like(inputs, hidden).template data<Operand>(),
                                        downs.data<Operand>(), data_or_null<T>(down_bias), N, F, out,
                                        Activation::kNone);
  });

  const Tensor saved = pre.defined() ? pre : hidden;
  return record("feed_forward", y, {x, up, up_bias, down, down_bias},
                [inputs, ups, downs, saved, f](const Tensor& dy, Grads d) {
                  Tensor scratch = Tensor::empty(saved.shape(), saved.dtype());  // f(x U^T + a), then its gradient
                  give_linear_bias(d, 4, dy);
                  const Tensor outer = operand_like(inputs, dy);
                  if (kernels::backward_from_output(f)) {
                    give_linear_weight(d, 3, outer, operand_like(inputs, saved));
                  } else if (d.wants(3)) {
                    dispatch_float(saved.dtype(), [&]<typename T>() {
                      kernels::activation_forward<T>(scratch.data<T>(), saved.data<T>(), saved.size(), f);
                    });
                    give_linear_weight(d, 3, outer, operand_like(inputs, scratch));
                  }
                  if (!d.wants(0) && !d.wants(1) && !d.wants(2)) return;
                  dispatch_operand(outer, [&]<typename T, typename Operand>() {
                    kernels::linear_input_backward<T, Operand>(scratch.data<T>(), Write::kAssign, outer.data<Operand>(),
                                                               downs.data<Operand>(), dy.shape()[0], downs.shape()[1],
                                                               downs.shape()[0]);
                  });
                  give_activation_and_bias(d, 2, scratch, scratch, saved, f);
                  const Tensor inner = operand_like(inputs, scratch);
                  give_linear_weight(d, 1, inner, inputs);
                  give_linear_input(d, 0, inner, ups);
                });
}

}  // namespace rapt
