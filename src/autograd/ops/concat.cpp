#include "autograd/ops/concat.h"

#include "tensor/kernels/copy_rows.h"

namespace rapt {

Variable concat_columns(const std::vector<Variable>& parts) {
  if (parts.empty()) throw std::invalid_argument("concat_columns: there must be at least one part, got none");
  Dim width = 0;
  std::vector<Dim> widths;
  for (const Variable& part : parts) {
    require_shape(part.shape().rank() == 2 && part.shape()[0] == parts[0].shape()[0], [&] {
      return "concat_columns: all parts must be [N, C] with the same N, got " + parts[0].shape().to_string() + " and " +
             part.shape().to_string();
    });
    widths.push_back(part.shape()[1]);
    width += widths.back();
  }
  const Dim N = parts[0].shape()[0];
  Tensor y = Tensor::empty({N, width}, parts[0].dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    T* to = y.data<T>();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      kernels::copy_rows<T>(to, nullptr, width, parts[i].value().data<T>(), nullptr, widths[i], N, widths[i]);
      to += widths[i];
    }
  });
  return record("concat_columns", y, parts, [widths, width, N](const Tensor& dy, Grads d) {
    dispatch_float(dy.dtype(), [&]<typename T>() {
      const T* from = dy.data<T>();
      for (std::size_t i = 0; i < widths.size(); ++i) {
        if (d.wants(i)) {
          Tensor part = Tensor::empty({N, widths[i]}, dy.dtype());
          kernels::copy_rows<T>(part.data<T>(), nullptr, widths[i], from, nullptr, width, N, widths[i]);
          d.give(i, part);
        }
        from += widths[i];
      }
    });
  });
}

}  // namespace rapt
