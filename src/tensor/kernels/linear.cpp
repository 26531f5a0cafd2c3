#include "tensor/kernels/linear.h"

#include <algorithm>
#include <type_traits>

namespace rapt::kernels {

// product = x W^T + b, [N, out]. `after` is called for each tile that is complete.
template <typename T, typename Operand>
static void biased_product(T* product, const Operand* x, const Operand* W, const T* b, Dim N, Dim in, Dim out,
                           TileHook after) {
  const auto fill_bias = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    for (Dim row = r0; row < r1; ++row) std::copy(b + c0, b + c1, product + row * out + c0);
  };
  matmul<T, Operand>({product, N, out}, {x, N, in}, Transpose::kNo, {W, out, in}, Transpose::kYes,
                     b != nullptr ? Write::kAdd : Write::kAssign, b != nullptr ? TileHook(fill_bias) : TileHook(),
                     after);
}

template <typename T, typename Operand>
void linear_forward(T* y, T* pre, const Operand* x, const Operand* W, const T* b, Dim N, Dim in, Dim out,
                    Activation f) {
  T* const product = pre != nullptr ? pre : y;
  const auto apply = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    const Dim start = r0 * out + c0;
    activation_tile<T>({y + start, r1 - r0, c1 - c0, out}, {product + start, r1 - r0, c1 - c0, out}, f);
  };
  const bool activates = f != Activation::kNone || pre != nullptr;
  biased_product(product, x, W, b, N, in, out, activates ? TileHook(apply) : TileHook());
}

template <typename T, typename Operand>
void hidden_forward(Operand* hidden, Operand* pre, T* product, const Operand* x, const Operand* W, const T* b, Dim N,
                    Dim in, Dim out, Activation f) {
  if constexpr (std::is_same_v<T, Operand>) {
    return linear_forward<T, Operand>(hidden, pre, x, W, b, N, in, out, f);
  } else {
    const auto apply = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
      const Dim start = r0 * out + c0;
      const auto tile = [=](auto* data) {
        return Matrix<std::remove_pointer_t<decltype(data)>>(data, r1 - r0, c1 - c0, out);
      };
      narrow_activation_tile(tile(hidden + start), tile(pre == nullptr ? nullptr : pre + start),
                             tile(static_cast<const T*>(product + start)), f);
    };
    biased_product(product, x, W, b, N, in, out, apply);
  }
}

template <typename T, typename Operand>
void linear_input_backward(T* dx, Write write, Matrix<const Operand> g, const Operand* W, Dim in) {
  matmul<T, Operand>({dx, g.rows, in}, g, Transpose::kNo, {W, g.cols, in}, Transpose::kNo, write);
}

template <typename T, typename Operand>
void linear_weight_backward(T* dW, Write write, Matrix<const Operand> g, const Operand* x, Dim in) {
  matmul<T, Operand>({dW, g.cols, in}, g, Transpose::kYes, {x, g.rows, in}, Transpose::kNo, write);
}

#define RAPT_LINEAR(T, Operand)                                                                                 \
  template void linear_forward(T*, T*, const Operand*, const Operand*, const T*, Dim, Dim, Dim, Activation);    \
  template void hidden_forward(Operand*, Operand*, T*, const Operand*, const Operand*, const T*, Dim, Dim, Dim, \
                               Activation);                                                                     \
  template void linear_input_backward(T*, Write, Matrix<const Operand>, const Operand*, Dim);                   \
  template void linear_weight_backward(T*, Write, Matrix<const Operand>, const Operand*, Dim);
RAPT_LINEAR(float, float)
RAPT_LINEAR(double, double)
RAPT_LINEAR(float, Bf16)
#undef RAPT_LINEAR

}  // namespace rapt::kernels
