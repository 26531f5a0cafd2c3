#include "tensor/kernels/activation.h"

#include <algorithm>

#include "tensor/parallel.h"
#include "tensor/tensor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/activation.cpp"
#include "tensor/simd.h"

#include "tensor/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {
namespace {

// Each function as a pair: value(d, x), and slope(d, s) = f'(x), where backward_from_output defines s.

struct None {
  template <class D>
  HWY_INLINE Vec<D> value(D /*d*/, Vec<D> x) const {
    return x;
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> /*y*/) const {
    return Set(d, TFromD<D>{1});
  }
};

struct Gelu {
  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    return Mul(x, NormalDistribution(d, x).cdf);
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> x) const {
    const auto normal = NormalDistribution(d, x);
    // Beyond 40 the density is 0. The clamp keeps an infinite x out of the product.
    const auto limit = Set(d, TFromD<D>{40});
    return MulAdd(IfThenElse(Lt(Abs(x), limit), x, limit), normal.density, normal.cdf);
  }
};

struct GeluTanh {
  // 2u = x (a + b x^2)
  static constexpr double kA = 2 * 0.79788456080286535588, kB = kA * 0.044715;

  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    using T = TFromD<D>;
    const auto factor = MulAdd(Set(d, static_cast<T>(kB)), Mul(x, x), Set(d, static_cast<T>(kA)));
    return Mul(x, Sigmoid(d, Mul(x, factor)));
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> x) const {
    using T = TFromD<D>;
    // Where |x| > 24 the slope is 0 or 1 to the last bit, but x^3 may overflow.
    const auto limit = Set(d, T{24});
    const auto cut = IfThenElse(Gt(Abs(x), limit), CopySign(limit, x), x);
    const auto square = Mul(cut, cut);
    const auto s = LogisticCurve(d, Mul(cut, MulAdd(Set(d, static_cast<T>(kB)), square, Set(d, static_cast<T>(kA)))));
    const auto twice_du = MulAdd(Set(d, static_cast<T>(3 * kB)), square, Set(d, static_cast<T>(kA)));
    return MulAdd(Mul(cut, twice_du), s.slope, s.value);
  }
};

struct Relu {
  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    return IfThenZeroElse(Lt(x, Zero(d)), x);  // keeps NaN
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> y) const {
    return IfThenElseZero(Gt(y, Zero(d)), Set(d, TFromD<D>{1}));
  }
};

// x s(k x); k = 1 is SiLU.
struct Swish {
  double k;

  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    return Mul(x, Sigmoid(d, Mul(Set(d, static_cast<TFromD<D>>(k)), x)));
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> x) const {
    const auto factor = Set(d, static_cast<TFromD<D>>(k));
    const auto s = LogisticCurve(d, Mul(factor, x));
    return MulAdd(x, Mul(factor, s.slope), s.value);
  }
};

struct HyperbolicTangent {
  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    return Tanh(d, x);
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D d, Vec<D> y) const {
    return NegMulAdd(y, y, Set(d, TFromD<D>{1}));
  }
};

struct LogisticFunction {
  template <class D>
  HWY_INLINE Vec<D> value(D d, Vec<D> x) const {
    return Sigmoid(d, x);
  }
  template <class D>
  HWY_INLINE Vec<D> slope(D /*d*/, Vec<D> y) const {
    return NegMulAdd(y, y, y);
  }
};

template <typename F>
HWY_INLINE void with_function(Activation f, F&& run) {
  switch (f) {
    case Activation::kNone:
      return run(None{});
    case Activation::kGelu:
      return run(Gelu{});
    case Activation::kGeluTanh:
      return run(GeluTanh{});
    case Activation::kRelu:
      return run(Relu{});
    case Activation::kSilu:
      return run(Swish{1});
    case Activation::kTanh:
      return run(HyperbolicTangent{});
    case Activation::kSigmoid:
      return run(LogisticFunction{});
    case Activation::kQuickGelu:
      return run(Swish{1.702});
  }
}

template <typename T, typename Function>
void forward_rows(Matrix<T> y, Matrix<const T> x, Function function) {
  const Tag<T> d;
  for (Dim row = 0; row < x.rows; ++row) {
    T* const to = y.data + row * y.stride;
    const T* const from = x.data + row * x.stride;
    for_each_vector(d, x.cols, [&](auto part) HWY_ATTR { part.store(function.value(d, part.load(from)), to); });
  }
}

// Rows of dx, and their sums if needed.
template <typename T, typename Function>
void backward_rows(Matrix<T> dx, const T* dy, const T* saved, T* sums, Write write, Function function) {
  const Tag<T> d;
  for (Dim row = 0; row < dx.rows; ++row) {
    const Dim start = row * dx.stride;
    for_each_vector(d, dx.cols, [&](auto part) HWY_ATTR {
      const auto g = Mul(part.load(dy + start), function.slope(d, part.load(saved + start)));
      if (sums != nullptr) part.store(row == 0 ? g : Add(part.load(sums), g), sums);
      part.write(g, dx.data + start, write);
    });
  }
}

template <typename T>
void sum_rows(T* sums, const T* x, Dim rows, Dim cols, Dim stride, Write write) {
  const Tag<T> d;
  for (Dim row = 0; row < rows; ++row) {
    const Write how = row == 0 ? write : Write::kAdd;
    for_each_vector(d, cols, [&](auto part) HWY_ATTR { part.write(part.load(x + row * stride), sums, how); });
  }
}

template <typename T>
void forward(Matrix<T> y, Matrix<const T> x, Activation f) {
  with_function(f, [&](auto function) HWY_ATTR { forward_rows(y, x, function); });
}
template <typename T>
void backward(Matrix<T> dx, const T* dy, const T* saved, T* sums, Write write, Activation f) {
  with_function(f, [&](auto function) HWY_ATTR { backward_rows(dx, dy, saved, sums, write, function); });
}

void forward_f32(Matrix<float> y, Matrix<const float> x, Activation f) { forward(y, x, f); }
void forward_f64(Matrix<double> y, Matrix<const double> x, Activation f) { forward(y, x, f); }
void backward_f32(Matrix<float> dx, const float* dy, const float* saved, float* sums, Write write, Activation f) {
  backward(dx, dy, saved, sums, write, f);
}
void backward_f64(Matrix<double> dx, const double* dy, const double* saved, double* sums, Write write, Activation f) {
  backward(dx, dy, saved, sums, write, f);
}
void sum_rows_f32(float* sums, const float* x, Dim rows, Dim cols, Dim stride, Write write) {
  sum_rows(sums, x, rows, cols, stride, write);
}
void sum_rows_f64(double* sums, const double* x, Dim rows, Dim cols, Dim stride, Write write) {
  sum_rows(sums, x, rows, cols, stride, write);
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

HWY_EXPORT(forward_f32);
HWY_EXPORT(forward_f64);
HWY_EXPORT(backward_f32);
HWY_EXPORT(backward_f64);
HWY_EXPORT(sum_rows_f32);
HWY_EXPORT(sum_rows_f64);

namespace kernels {
namespace {

constexpr Dim kBlock = 16384;                      // elements
constexpr Dim kSumRows = 128, kSumColumns = 1024;  // of one piece of a sum over rows

// Calls piece(partial, r0, r1, c0, c1) for pieces of an [N, C] array and adds up the partial sums over their rows.
template <typename T, typename Piece>
void sum_in_pieces(T* sums, Write write, Dim N, Dim C, Piece&& piece) {
  if (N == 0) {
    if (write == Write::kAssign) std::fill_n(sums, C, T{0});
    return;
  }
  const Dim down = (N + kSumRows - 1) / kSumRows, across = (C + kSumColumns - 1) / kSumColumns;
  Tensor partial = Tensor::empty({down, C}, dtype_of<T>);
  T* const partials = partial.data<T>();
  parallel_for(down * across, [&](Dim i) {
    const Dim r0 = i / across * kSumRows, c0 = i % across * kSumColumns;
    piece(partials + i / across * C + c0, r0, std::min(N, r0 + kSumRows), c0, std::min(C, c0 + kSumColumns));
  });
  parallel_blocks(C, kSumColumns, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, sum_rows)(sums + begin, partials + begin, down, end - begin, C, write);
  });
}

}  // namespace

template <typename T>
void activation_tile(Matrix<T> y, Matrix<const T> x, Activation f) {
  RAPT_DISPATCH(T, forward)(y, x, f);
}
template void activation_tile(Matrix<float>, Matrix<const float>, Activation);
template void activation_tile(Matrix<double>, Matrix<const double>, Activation);

template <typename T>
void activation_forward(T* y, const T* x, Dim n, Activation f) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    activation_tile<T>({y + begin, 1, end - begin}, {x + begin, 1, end - begin}, f);
  });
}
template void activation_forward(float*, const float*, Dim, Activation);
template void activation_forward(double*, const double*, Dim, Activation);

template <typename T>
void activation_backward(T* dx, const T* dy, const T* saved, Dim n, Activation f, Write write) {
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, backward)
    (Matrix<T>{dx + begin, 1, end - begin}, dy + begin, saved + begin, nullptr, write, f);
  });
}
template void activation_backward(float*, const float*, const float*, Dim, Activation, Write);
template void activation_backward(double*, const double*, const double*, Dim, Activation, Write);

template <typename T>
void activation_bias_backward(T* dx, T* dbias, Write write, const T* dy, const T* saved, Dim N, Dim C, Activation f) {
  sum_in_pieces<T>(dbias, write, N, C, [&](T* partial, Dim r0, Dim r1, Dim c0, Dim c1) {
    const Dim start = r0 * C + c0;
    RAPT_DISPATCH(T, backward)
    (Matrix<T>{dx + start, r1 - r0, c1 - c0, C}, dy + start, saved + start, partial, Write::kAssign, f);
  });
}
template void activation_bias_backward(float*, float*, Write, const float*, const float*, Dim, Dim, Activation);
template void activation_bias_backward(double*, double*, Write, const double*, const double*, Dim, Dim, Activation);

template <typename T>
void column_sums(T* sums, Write write, const T* x, Dim N, Dim C) {
  sum_in_pieces<T>(sums, write, N, C, [&](T* partial, Dim r0, Dim r1, Dim c0, Dim c1) {
    RAPT_DISPATCH(T, sum_rows)(partial, x + r0 * C + c0, r1 - r0, c1 - c0, C, Write::kAssign);
  });
}
template void column_sums(float*, Write, const float*, Dim, Dim);
template void column_sums(double*, Write, const double*, Dim, Dim);

template <typename T>
void add_rows(T* sums, Write write, const T* x, Dim rows, Dim C, Dim stride) {
  RAPT_DISPATCH(T, sum_rows)(sums, x, rows, C, stride, write);
}
template void add_rows(float*, Write, const float*, Dim, Dim, Dim);
template void add_rows(double*, Write, const double*, Dim, Dim, Dim);

}  // namespace kernels
}  // namespace rapt

#endif
