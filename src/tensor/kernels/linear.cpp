#include "tensor/kernels/linear.h"

#include <algorithm>

namespace rapt::kernels {

template <typename T>
void linear_forward(T* y, T* pre, const T* x, const T* W, const T* b, Dim N, Dim in, Dim out, Activation f) {
  T* const product = pre != nullptr ? pre : y;
  const auto fill_bias = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    for (Dim row = r0; row < r1; ++row) std::copy(b + c0, b + c1, product + row * out + c0);
  };
  const auto apply = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    const Dim start = r0 * out + c0;
    activation_tile<T>({y + start, r1 - r0, c1 - c0, out}, {product + start, r1 - r0, c1 - c0, out}, f);
  };
  const bool activates = f != Activation::kNone || pre != nullptr;
  matmul<T>({product, N, out}, {x, N, in}, Transpose::kNo, {W, out, in}, Transpose::kYes,
            b != nullptr ? Write::kAdd : Write::kAssign, b != nullptr ? TileHook(fill_bias) : TileHook(),
            activates ? TileHook(apply) : TileHook());
}
RAPT_INSTANTIATE(linear_forward);

template <typename T>
void linear_input_backward(T* dx, Write write, const T* g, const T* W, Dim N, Dim in, Dim out) {
  matmul<T>({dx, N, in}, {g, N, out}, Transpose::kNo, {W, out, in}, Transpose::kNo, write);
}
RAPT_INSTANTIATE(linear_input_backward);

template <typename T>
void linear_weight_backward(T* dW, Write write, const T* g, const T* x, Dim N, Dim in, Dim out) {
  matmul<T>({dW, out, in}, {g, N, out}, Transpose::kYes, {x, N, in}, Transpose::kNo, write);
}
RAPT_INSTANTIATE(linear_weight_backward);

}  // namespace rapt::kernels
