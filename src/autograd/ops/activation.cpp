#include "autograd/ops/activation.h"

#include <stdexcept>
#include <string>

namespace rapt {
namespace {

struct Name {
  std::string_view name;
  Activation f;
};

constexpr Name kNames[] = {
    {"gelu", Activation::kGelu},
    {"gelu-tanh", Activation::kGeluTanh},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"quick-gelu", Activation::kQuickGelu},
    {"none", Activation::kNone},
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

Activation activation_from_name(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.name == name) return known.f;
  }
  std::string message = "activation: must be one of ";
  for (const Name& known : kNames) {
    if (&known != kNames) message += ", ";
    message += known.name;
  }
  throw std::invalid_argument(message + ", got " + std::string(name));
}

const char* name_of(Activation f) {
  for (const Name& known : kNames) {
    if (known.f == f) return known.name.data();
  }
  return "activation";
}

}  // namespace rapt
