#include "tensor/kernels/activation.h"

#include "tensor/kernels/column_sums.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

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

template <typename Function>
void narrow_rows(Matrix<Bf16> y, Matrix<Bf16> pre, Matrix<const float> x, Function function) {
  const Tag<float> d;
  for (Dim row = 0; row < x.rows; ++row) {
    Bf16* const to = y.data + row * y.stride;
    Bf16* const beside = pre.data == nullptr ? nullptr : pre.data + row * pre.stride;
    const float* const from = x.data + row * x.stride;
    for_each_vector(d, x.cols, [&](auto part) HWY_ATTR {
      const auto v = part.load(from);
      if (beside != nullptr) part.store(v, beside);
      part.store(function.value(d, v), to);
    });
  }
}

// Rows of dx, and their sums if needed.
template <typename T, typename Function>
void backward_rows(Matrix<T> dx, const Compute<T>* dy, const T* saved, Compute<T>* sums, Write write,
                   Function function) {
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
void forward(Matrix<T> y, Matrix<const T> x, Activation f) {
  with_function(f, [&](auto function) HWY_ATTR { forward_rows(y, x, function); });
}
void narrow_forward(Matrix<Bf16> y, Matrix<Bf16> pre, Matrix<const float> x, Activation f) {
  with_function(f, [&](auto function) HWY_ATTR { narrow_rows(y, pre, x, function); });
}
template <typename T>
void backward(Matrix<T> dx, const Compute<T>* dy, const T* saved, Compute<T>* sums, Write write, Activation f) {
  with_function(f, [&](auto function) HWY_ATTR { backward_rows(dx, dy, saved, sums, write, function); });
}

}  // namespace
}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rapt {

RAPT_EXPORT(forward);
RAPT_EXPORT(backward);
HWY_EXPORT(narrow_forward);

namespace kernels {
static constexpr Dim kBlock = 16384;  // elements

template <typename T>
void activation_tile(Matrix<T> y, Matrix<const T> x, Activation f) {
  RAPT_DISPATCH(T, forward)(y, x, f);
}

void narrow_activation_tile(Matrix<Bf16> y, Matrix<Bf16> pre, Matrix<const float> x, Activation f) {
  HWY_DYNAMIC_DISPATCH(narrow_forward)(y, pre, x, f);
}

template <typename T>
void activation_forward(T* y, const T* x, Dim n, Activation f) {
  count_elements<T>(2 * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    activation_tile<T>({y + begin, 1, end - begin}, {x + begin, 1, end - begin}, f);
  });
}

template <typename T>
void activation_backward(T* dx, const Compute<T>* dy, const T* saved, Dim n, Activation f, Write write) {
  count_elements<T>((1 + touches(write)) * n);
  count_elements<Compute<T>>(n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    RAPT_DISPATCH(T, backward)
    (Matrix<T>{dx + begin, 1, end - begin}, dy + begin, saved + begin, nullptr, write, f);
  });
}

template <typename T>
void activation_bias_backward(T* dx, Compute<T>* dbias, Write write, const Compute<T>* dy, const T* saved, Dim N, Dim C,
                              Activation f) {
  count_elements<T>(2 * N * C);
  count_elements<Compute<T>>(N * C);
  sum_in_pieces<Compute<T>>(dbias, write, N, C, [&](Compute<T>* sums, Dim r0, Dim r1, Dim c0, Dim c1) {
    const Dim start = r0 * C + c0;
    RAPT_DISPATCH(T, backward)
    (Matrix<T>{dx + start, r1 - r0, c1 - c0, C}, dy + start, saved + start, sums, Write::kAssign, f);
  });
}

#define RAPT_ACTIVATION(T, ...)                  \
  RAPT_INSTANTIATE_ONE(T, , activation_tile)     \
  RAPT_INSTANTIATE_ONE(T, , activation_forward)  \
  RAPT_INSTANTIATE_ONE(T, , activation_backward) \
  RAPT_INSTANTIATE_ONE(T, , activation_bias_backward)
RAPT_FOR_FLOATS(RAPT_ACTIVATION)
RAPT_ACTIVATION(Bf16)
#undef RAPT_ACTIVATION

}  // namespace kernels
}  // namespace rapt

#endif
