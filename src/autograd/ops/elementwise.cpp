#include "autograd/ops/elementwise.h"

#include <string>

#include "tensor/kernels/elementwise.h"

namespace rapt {

static void require_alike(const char* op, const Variable& a, const Variable& b) {
  require_shape(a.shape() == b.shape() && a.dtype() == b.dtype(), [&] {
    return std::string(op) + ": both must have the same shape and type, got " + a.shape().to_string() + " " +
           name_of(a.dtype()) + " and " + b.shape().to_string() + " " + name_of(b.dtype());
  });
}

Variable add(const Variable& a, const Variable& b) {
  require_alike("add", a, b);
  Tensor y = Tensor::empty(a.shape(), a.dtype());
  dispatch_float(y.dtype(),
                 [&]<typename T>() { kernels::add(y.data<T>(), a.value().data<T>(), b.value().data<T>(), y.size()); });
  return record("add", y, {a, b}, [](const Tensor& dy, Grads d) {
    d.give(0, dy);
    d.give(1, dy);
  });
}

Variable mul(const Variable& a, const Variable& b) {
  require_alike("mul", a, b);
  Tensor y = Tensor::empty(a.shape(), a.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::multiply(y.data<T>(), a.value().data<T>(), b.value().data<T>(), y.size(), Write::kAssign);
  });
  return record("mul", y, {a, b}, [a = a.value(), b = b.value()](const Tensor& dy, Grads d) {
    dispatch_float(dy.dtype(), [&]<typename T>() {
      for (const std::size_t input : {0u, 1u}) {
        if (!d.wants(input)) continue;
        Grads::Slot dx = d.slot(input);
        const Tensor& other = input == 0 ? b : a;
        kernels::multiply(dx.tensor.data<T>(), dy.data<T>(), other.data<T>(), dy.size(), dx.write);
      }
    });
  });
}

Variable scale(const Variable& x, double factor) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::scale(y.data<T>(), x.value().data<T>(), factor, y.size(), Write::kAssign);
  });
  return record("scale", y, {x}, [factor](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.slot(0);
    dispatch_float(dy.dtype(), [&]<typename T>() {
      kernels::scale(dx.tensor.data<T>(), dy.data<T>(), factor, dy.size(), dx.write);
    });
  });
}

}  // namespace rapt
