#include "autograd/ops/layer_norm.h"

#include <optional>
#include <sstream>

#include "autograd/ops/operands.h"
#include "tensor/kernels/layer_norm.h"

namespace rapt {
namespace {

// What the backward pass of a normalisation needs.
struct Kept {
  Tensor x;        // the input of the normalisation
  Tensor moments;  // [2, N]: means, then reciprocals of the deviations
  Tensor gain;

  template <typename T>
  kernels::LayerNormShape<T> shape(const T* bias = nullptr) {
    const Dim N = x.shape().rows();
    T* const mean = moments.data<T>();
    return {gain.data<T>(), bias, mean, mean + N, N, x.shape().back()};
  }
};

void require_column_vector(const char* op, const char* name, const Variable& v, const Variable& x) {
  require_shape(v.shape() == Shape{x.shape().back()} && v.dtype() == x.dtype(), [&] {
    std::ostringstream message;
    message << op << ": " << name << " must be [" << x.shape().back() << "] " << name_of(x.dtype()) << " for x "
            << x.shape().to_string() << ", got " << v.shape().to_string() << " " << name_of(v.dtype());
    return message.str();
  });
}

void check(const char* op, const Variable& x, const Variable& gain, const Variable& bias, double epsilon) {
  require_shape(x.shape().rank() >= 1 && x.shape().back() >= 1, [&] {
    return std::string(op) + ": x must be [..., C] with C of at least 1, got " + x.shape().to_string();
  });
  require_column_vector(op, "gain", gain, x);
  if (bias.defined()) require_column_vector(op, "bias", bias, x);
  if (!(epsilon > 0)) {
    std::ostringstream message;
    message << op << ": epsilon must be positive, got " << epsilon;
    throw std::invalid_argument(message.str());
  }
}

Kept keep(const Variable& gain, Tensor normalised) {
  Tensor moments = Tensor::empty({2, normalised.shape().rows()}, normalised.dtype());
  return {std::move(normalised), std::move(moments), gain.value()};
}

template <typename T>
T* grad_or_null(Grads& d, std::size_t input) {
  return d.wants(input) ? d.data<T>(input) : nullptr;
}

// The backward pass of sum = residual + x or residual + dropout(x), for the inputs x, residual, gain and bias.
void sum_backward(const std::optional<kernels::DropoutRule>& rule, const Tensor& dsum, Grads& d) {
  d.give(1, dsum);
  if (!rule) return d.give(0, dsum);
  if (!d.wants(0)) return;
  Grads::Slot dx = d.slot(0);
  dispatch_float(dsum.dtype(), [&]<typename T>() {
    T* const to = dx.tensor.data<T>();
    kernels::dropout<T>(to, dsum.data<T>(), dx.write == Write::kAdd ? to : nullptr, dsum.shape().rows(),
                        dsum.shape().back(), *rule);
  });
}

// The same, followed by normed = layer_norm(sum). dsum is undefined if only normed was used.
void add_layer_norm_backward(Kept kept, const std::optional<kernels::DropoutRule>& rule, const Tensor& dsum,
                             const Tensor& dnormed, Grads& d) {
  const bool in_place = dsum.defined() && dsum.sharers() == 1;  // no one else reads it
  Tensor dx = in_place ? dsum : Tensor::empty(kept.x.shape(), kept.x.dtype());
  dispatch_float(kept.x.dtype(), [&]<typename T>() {
    std::optional<kernels::DroppedGradient<T>> dropped;
    if (rule && d.wants(0)) {
      Grads::Slot slot = d.slot(0);
      dropped = {slot.tensor.data<T>(), slot.write, *rule};
    }
    kernels::layer_norm_backward<T>(dx.data<T>(), grad_or_null<T>(d, 2), grad_or_null<T>(d, 3),
                                    dsum.defined() ? dsum.data<T>() : nullptr, dnormed.data<T>(), kept.x.data<T>(),
                                    kept.shape<T>(), dropped ? &*dropped : nullptr);
  });
  d.give(1, dx);
  if (!rule) d.give(0, dx);
}

ResidualNorm add_layer_norm(const char* op, const Variable& x, const Variable& residual, const Variable& gain,
                            const Variable& bias, double epsilon, const std::optional<kernels::DropoutRule>& rule) {
  check(op, x, gain, bias, epsilon);
  require_shape(x.shape() == residual.shape() && x.dtype() == residual.dtype(), [&] {
    return std::string(op) + ": x and residual must have the same shape and type, got " + x.shape().to_string() + " " +
           name_of(x.dtype()) + " and " + residual.shape().to_string() + " " + name_of(residual.dtype());
  });
  Kept kept = keep(gain, Tensor::empty(x.shape(), x.dtype()));
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::add_layer_norm_forward<T>(y.data<T>(), kept.x.data<T>(), x.value().data<T>(), residual.value().data<T>(),
                                       rule ? &*rule : nullptr, kept.shape<T>(data_or_null<T>(bias)), epsilon);
  });
  const std::vector<Variable> outputs =
      record_many(op, {kept.x, y}, {x, residual, gain, bias}, [kept, rule](std::span<const Tensor> dy, Grads d) {
        if (!dy[1].defined()) return sum_backward(rule, dy[0], d);
        add_layer_norm_backward(kept, rule, dy[0], dy[1], d);
      });
  return {outputs[0], outputs[1]};
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& gain, const Variable& bias, double epsilon) {
  check("layer_norm", x, gain, bias, epsilon);
  Kept kept = keep(gain, x.value());
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::layer_norm_forward<T>(y.data<T>(), x.value().data<T>(), kept.shape<T>(data_or_null<T>(bias)), epsilon);
  });
  return record("layer_norm", y, {x, gain, bias}, [kept](const Tensor& dy, Grads d) mutable {
    Grads::Slot dx = d.wants(0) ? d.slot(0) : Grads::Slot{Tensor::empty(dy.shape(), dy.dtype()), Write::kAssign};
    dispatch_float(dy.dtype(), [&]<typename T>() {
      T* const out = dx.tensor.data<T>();
      kernels::layer_norm_backward<T>(out, grad_or_null<T>(d, 1), grad_or_null<T>(d, 2),
                                      dx.write == Write::kAdd ? out : nullptr, dy.data<T>(), kept.x.data<T>(),
                                      kept.shape<T>());
    });
  });
}

ResidualNorm add_layer_norm(const Variable& x, const Variable& residual, const Variable& gain, const Variable& bias,
                            double epsilon) {
  return add_layer_norm("add_layer_norm", x, residual, gain, bias, epsilon, std::nullopt);
}

ResidualNorm dropout_add_layer_norm(const Variable& x, const Variable& residual, const Variable& gain,
                                    const Variable& bias, double epsilon, double p, DropoutKey key) {
  const char* const op = "dropout_add_layer_norm";
  if (!(p >= 0 && p < 1)) {
    std::ostringstream message;
    message << op << ": p must be at least 0 and less than 1, got " << p;
    throw std::invalid_argument(message.str());
  }
  if (p == 0) return add_layer_norm(x, residual, gain, bias, epsilon);
  return add_layer_norm(op, x, residual, gain, bias, epsilon, kernels::DropoutRule(p, key));
}

}  // namespace rapt
