#include "autograd/ops/activation.h"

#include <stdexcept>
#include <string>

namespace rapt {
namespace {

constexpr std::pair<Activation, const char*> kNames[] = {
    {Activation::kGelu, "gelu"},
    {Activation::kGeluTanh, "gelu-tanh"},
    {Activation::kRelu, "relu"},
    {Activation::kSilu, "silu"},
    {Activation::kTanh, "tanh"},
    {Activation::kSigmoid, "sigmoid"},
    {Activation::kQuickGelu, "quick-gelu"},
    {Activation::kNone, "none"},
};

}  // namespace

Variable activation(const Variable& x, Activation f) {
  if (f == Activation::kNone) return x;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(),
                 [&]<typename T>() { kernels::activation_forward<T>(y.data<T>(), x.value().data<T>(), y.size(), f); });
  return record(
      name_of(f), y, {x}, [saved = kernels::backward_from_output(f) ? y : x.value(), f](const Tensor& dy, Grads d) {
        Grads::Slot dx = d.slot(0);
        dispatch_float(dy.dtype(), [&]<typename T>() {
          kernels::activation_backward<T>(dx.tensor.data<T>(), dy.data<T>(), saved.data<T>(), dy.size(), f, dx.write);
        });
      });
}

std::span<const std::pair<Activation, const char*>> activation_names() { return kNames; }

const char* name_of(Activation f) {
  for (const auto& [known, name] : kNames) {
    if (known == f) return name;
  }
  return "activation";
}

}  // namespace rapt
