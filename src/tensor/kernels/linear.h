// x W^T + b. The bias is written before each tile's product, and the activation is applied while the tile is in cache.
#pragma once

#include "tensor/kernels/activation.h"

namespace rapt::kernels {

// The operands of the products are of type T, or of type Bf16 with T = float.

// y = f(x W^T + b) for x [N, in], W [out, in], b [out] or null, y [N, out]. If `pre` is not null, it receives x W^T +
// b; otherwise y overwrites it in place.
template <typename T, typename Operand>
void linear_forward(T* y, T* pre, const Operand* x, const Operand* W, const T* b, Dim N, Dim in, Dim out, Activation f);

// hidden = f(x W^T + b) as an operand of the next product, and `pre`, if not null, x W^T + b in its type. With operands
// of type T, this is linear_forward; in bf16, `product` [N, out] receives the sums.
template <typename T, typename Operand>
void hidden_forward(Operand* hidden, Operand* pre, T* product, const Operand* x, const Operand* W, const T* b, Dim N,
                    Dim in, Dim out, Activation f);

// dx (+)= g W and dW (+)= g^T x for g [N, out], the gradient of x W^T + b.
template <typename T, typename Operand>
void linear_input_backward(T* dx, Write write, Matrix<const Operand> g, const Operand* W, Dim in);
template <typename T, typename Operand>
void linear_weight_backward(T* dW, Write write, Matrix<const Operand> g, const Operand* x, Dim in);

}  // namespace rapt::kernels
