// The operands of a layer's products: tensors as they are, or in bf16 (tensor/precision.h).
#pragma once

#include "autograd/variable.h"
#include "tensor/precision.h"
#include "tensor/tensor.h"

namespace rapt {

/// Whether layers with inputs like x narrow their operands now.
inline bool narrows_operands(const Tensor& x) {
  return x.dtype() == DType::kF32 && product_precision() == Precision::kBf16;
}

/// x as an operand. Backward passes keep it and not x.
inline Tensor operand(const Tensor& x) { return narrows_operands(x) ? x.to(DType::kBF16) : x; }
/// The same for a weight, whose narrow copy serves all products until it changes.
inline Tensor weight_operand(const Tensor& W) { return narrows_operands(W) ? W.narrowed() : W; }
/// g in the type of x, an operand of the same products.
inline Tensor operand_like(const Tensor& x, const Tensor& g) {
  return x.dtype() == DType::kBF16 && g.dtype() != DType::kBF16 ? g.to(DType::kBF16) : g;
}

/// The values of an optional tensor or input, such as a bias; null if there is none.
template <typename T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}
template <typename T>
const T* data_or_null(const Variable& input) {
  return input.defined() ? data_or_null<T>(input.value()) : nullptr;
}

/// Calls f.template operator()<T, Operand>(), where T is the type of the sums of products of operands like x.
template <typename F>
decltype(auto) dispatch_operand(const Tensor& x, F&& f) {
  if (x.dtype() == DType::kBF16) return f.template operator()<float, Bf16>();
  return dispatch_float(x.dtype(), [&]<typename T>() { return f.template operator()<T, T>(); });
}

}  // namespace rapt
