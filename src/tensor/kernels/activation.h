// Activation functions: GELU and its relatives, forward and backward, on arrays and on tiles.
#pragma once

#include "tensor/matmul.h"
#include "tensor/types.h"

namespace rapt {

/// An elementwise function y = f(x); s is the logistic function 1 / (1 + e^-x). f and its derivative are within 3 units
/// in the last place of the larger of 1 and the result, in f32 and f64, for every finite x. No finite x gives NaN, or
/// infinity where the result is finite.
enum class Activation : std::uint8_t {
  kNone,       ///< x
  kGelu,       ///< x P(X <= x), X standard normal
  kGeluTanh,   ///< x s(2u), u = sqrt(2/pi) (x + 0.044715 x^3): the same as x/2 (1 + tanh u), which approximates kGelu
  kRelu,       ///< max(x, 0)
  kSilu,       ///< x s(x)
  kTanh,       ///< tanh(x)
  kSigmoid,    ///< s(x)
  kQuickGelu,  ///< x s(1.702 x)
};

namespace kernels {

/// Whether the backward pass needs f's output. For the other functions it needs the input. Nothing else must be kept.
constexpr bool backward_from_output(Activation f) {
  return f == Activation::kNone || f == Activation::kRelu || f == Activation::kTanh || f == Activation::kSigmoid;
}

// In these, T is also Bf16; then what is not a T is f32.

// y = f(x) on the calling thread; y may be x. For tiles that a product has just left in the cache.
template <typename T>
void activation_tile(Matrix<T> y, Matrix<const T> x, Activation f);

// The same for x in f32 and y in bf16. If pre.data is not null, pre = x in bf16.
void narrow_activation_tile(Matrix<Bf16> y, Matrix<Bf16> pre, Matrix<const float> x, Activation f);

// y = f(x); y may be x.
template <typename T>
void activation_forward(T* y, const T* x, Dim n, Activation f);

// dx (+)= dy f'(x). `saved` is y where backward_from_output(f), else x. dx may be dy when it is assigned.
template <typename T>
void activation_backward(T* dx, const Compute<T>* dy, const T* saved, Dim n, Activation f, Write write);

// dx = dy f'(x) and dbias (+)= the sums of dx over its rows, before they are rounded to T, in one pass over [N, C]. dx
// may be dy.
template <typename T>
void activation_bias_backward(T* dx, Compute<T>* dbias, Write write, const Compute<T>* dy, const T* saved, Dim N, Dim C,
                              Activation f);

}  // namespace kernels
}  // namespace rapt
