#include "autograd/ops/rope.h"

#include <algorithm>
#include <string>

#include "tensor/kernels/rope.h"

namespace rapt {
namespace {

void check(const Variable& x, const Tensor& positions, const RopeOptions& options) {
  require_shape(options.heads >= 1 && options.head_width >= 1 && x.shape().rank() == 2 &&
                    x.shape()[1] >= options.heads * options.head_width,
                [&] {
                  return "rope: x must be [N, " + std::to_string(options.heads * options.head_width) +
                         " or more] for " + std::to_string(options.heads) + " heads of width " +
                         std::to_string(options.head_width) + ", got " + x.shape().to_string();
                });
  require_shape(
      positions.defined() && positions.shape() == Shape{x.shape()[0]} && positions.dtype() == DType::kI32, [&] {
        return "rope: positions must be [" + std::to_string(x.shape()[0]) + "] i32 for x " + x.shape().to_string() +
               ", got " +
               (positions.defined() ? positions.shape().to_string() + " " + name_of(positions.dtype()) : "none");
      });
  const Dim R = options.rotary_width;
  if (R < 0 || R > options.head_width || (R == 0 ? options.head_width : R) % 2 != 0) {
    throw std::invalid_argument("rope: the rotary width must be even and at most the head width " +
                                std::to_string(options.head_width) + ", got " +
                                std::to_string(R == 0 ? options.head_width : R));
  }
  if (!(options.base > 0)) {
    throw std::invalid_argument("rope: base must be positive, got " + std::to_string(options.base));
  }
  for (const std::int32_t position : positions.span<std::int32_t>()) {
    if (position < 0) {
      throw std::invalid_argument("rope: positions must not be negative, got " + std::to_string(position));
    }
  }
}

// The angles of one call, and which of them each row uses.
struct Angles {
  Tensor table;    // [2, rows, R/2]: cosines, then sines
  Tensor indices;  // [N]; undefined if each row has its own
  Dim N, width;
  RopeOptions options;

  template <typename T>
  kernels::Rotation<T> rotation() const {
    const Dim part = table.size() / 2;
    return {.cosines = table.data<T>(),
            .sines = table.data<T>() + part,
            .indices = indices.defined() ? indices.data<std::int32_t>() : nullptr,
            .N = N,
            .width = width,
            .heads = options.heads,
            .head_width = options.head_width,
            .rotary_width = options.rotary_width};
  }
};

Angles angles_of(const Variable& x, const Tensor& positions, RopeOptions options) {
  if (options.rotary_width == 0) options.rotary_width = options.head_width;
  const Dim N = x.shape()[0];
  const auto all = positions.span<std::int32_t>();
  const Dim places = N == 0 ? 0 : Dim{*std::ranges::max_element(all)} + 1;
  // Sequences of a batch share positions, so there is one row of angles per position. Decoding has fewer rows than
  // positions.
  const bool shared = places <= N;
  const Dim rows = shared ? places : N;
  Angles angles = {Tensor::empty({2, rows, options.rotary_width / 2}, x.dtype()), shared ? positions : Tensor(), N,
                   x.shape()[1], options};
  dispatch_float(x.dtype(), [&]<typename T>() {
    T* const cosines = angles.table.data<T>();
    kernels::rope_angles(cosines, cosines + angles.table.size() / 2, shared ? nullptr : positions.data<std::int32_t>(),
                         rows, options.rotary_width, options.base);
  });
  return angles;
}

}  // namespace

Variable rope(const Variable& x, const Tensor& positions, const RopeOptions& options) {
  check(x, positions, options);
  const Angles angles = angles_of(x, positions, options);
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(y.dtype(), [&]<typename T>() {
    kernels::rope_forward<T>(y.data<T>(), x.value().data<T>(), angles.rotation<T>());
  });
  return record("rope", y, {x}, [angles](const Tensor& dy, Grads d) {
    Grads::Slot dx = d.slot(0);
    dispatch_float(dy.dtype(), [&]<typename T>() {
      kernels::rope_backward<T>(dx.tensor.data<T>(), dx.write, dy.data<T>(), angles.rotation<T>());
    });
  });
}

}  // namespace rapt
