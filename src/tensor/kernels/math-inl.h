// exp, log, tanh, the logistic function and the normal distribution for whole vectors, f32 and f64, with Highway's
// naming. Included by kernel files after tensor/simd.h; compiled for each target.
//
// Largest errors against long double (tests/tensor/math_test.cpp), in units in the last place of the result:
//
//              f32           f64
//   Exp        1.1           1           below the smallest normal number: 0
//   Log        1             1
//   Tanh       3             3
//   Sigmoid    3             3           below the smallest normal number: 0
//   NormalDistribution: see there
//
// NaN gives NaN; infinities give the limits. Polynomials are minimax fits on the reduced ranges given beside them.
// Ranges are reduced with split constants as in Cody and Waite, "Software Manual for the Elementary Functions", 1980,
// so that targets without a fused multiply-add stay within the bounds.
#if defined(RAPT_TENSOR_KERNELS_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef RAPT_TENSOR_KERNELS_MATH_INL_H
#undef RAPT_TENSOR_KERNELS_MATH_INL_H
#else
#define RAPT_TENSOR_KERNELS_MATH_INL_H
#endif

#include <limits>

#include "tensor/simd.h"

HWY_BEFORE_NAMESPACE();
namespace rapt::HWY_NAMESPACE {

/// c0 + c1 x + c2 x^2 + ...
template <class D>
HWY_INLINE Vec<D> Polynomial(D d, Vec<D> /*x*/, TFromD<D> c0) {
  return Set(d, c0);
}
template <class D, typename... C>
HWY_INLINE Vec<D> Polynomial(D d, Vec<D> x, TFromD<D> c0, C... c) {
  return MulAdd(Polynomial(d, x, static_cast<TFromD<D>>(c)...), x, Set(d, c0));
}

namespace math {

template <class D>
inline constexpr bool kIsF32 = sizeof(TFromD<D>) == 4;

// x = n ln 2 + r with |r| <= ln(2)/2, for |n| < 2^10: exp(x) = 2^n (1 + expm1).
template <class D>
struct ExpParts {
  Vec<D> expm1;                       // exp(r) - 1
  Vec<RebindToUnsigned<D>> exponent;  // n, shifted to the exponent bits of a floating-point number
};

template <class D>
HWY_INLINE ExpParts<D> exp_parts(D d, Vec<D> x) {
  using T = TFromD<D>;
  const RebindToUnsigned<D> du;
  // Adding 1.5 * 2^23 (2^52) rounds to an integer, which is then in the low bits of the sum.
  const auto magic = Set(d, kIsF32<D> ? static_cast<T>(0x1.8p23) : static_cast<T>(0x1.8p52));
  const auto shifted = MulAdd(x, Set(d, static_cast<T>(1.44269504088896340736)), magic);
  const auto n = Sub(shifted, magic);
  if constexpr (kIsF32<D>) {
    auto r = NegMulAdd(n, Set(d, 0.693359375f), x);
    r = NegMulAdd(n, Set(d, -2.12194440e-4f), r);
    const auto q = Polynomial(d, r, 0.5000000062f, 0.1666654279f, 0.04166628143f, 0.008366610782f, 0.001394649725f);
    return {MulAdd(Mul(r, r), q, r), ShiftLeft<23>(BitCast(du, shifted))};
  } else {
    auto r = NegMulAdd(n, Set(d, 6.93145751953125e-1), x);
    r = NegMulAdd(n, Set(d, 1.42860682030941723212e-6), r);
    const auto q =
        Polynomial(d, r, 0.500000000000000557, 0.166666666666666861, 0.0416666666665733239, 0.00833333333331452496,
                   0.00138888889324844943, 0.00019841269903196117, 0.0000248015043116549591, 2.75572277919903398e-6,
                   2.76263824507120199e-7, 2.51145278863741563e-8);
    return {MulAdd(Mul(r, r), q, r), ShiftLeft<52>(BitCast(du, shifted))};
  }
}

}  // namespace math

/// e^x. Results below the smallest normal number are 0.
template <class D>
HWY_INLINE Vec<D> Exp(D d, Vec<D> x) {
  using T = TFromD<D>;
  const RebindToUnsigned<D> du;
  // The largest and smallest number of type T whose result is finite and normal. The logarithms of the limits
  // themselves, rounded to f32, would lie outside, where the exponent overflows.
  const auto highest = Set(d, static_cast<T>(math::kIsF32<D> ? 0x1.62e42ep6 : 0x1.62e42fefa39efp9));
  const auto lowest = Set(d, static_cast<T>(math::kIsF32<D> ? -0x1.5d589ep6 : -0x1.6232bdd7abcd2p9));
  const auto parts = math::exp_parts(d, x);
  // Between the two bounds the result is a normal number, so the exponent can be added as an integer.
  const auto mantissa = BitCast(du, Add(parts.expm1, Set(d, T{1})));
  auto y = BitCast(d, Add(mantissa, parts.exponent));
  y = IfThenElse(Le(x, highest), y, Add(x, Inf(d)));  // infinity, or x itself if it is NaN
  return IfThenZeroElse(Lt(x, lowest), y);
}

/// Natural logarithm; -infinity for 0, NaN below.
template <class D>
HWY_INLINE Vec<D> Log(D d, Vec<D> x) {
  using T = TFromD<D>;
  const RebindToSigned<D> di;
  using I = TFromD<decltype(di)>;
  constexpr int kMantissaBits = math::kIsF32<D> ? 23 : 52;
  // Denormals are scaled by that many powers of two to become normal numbers.
  const auto denormal = Lt(x, Set(d, std::numeric_limits<T>::min()));
  const auto normal = IfThenElse(denormal, Mul(x, Set(d, static_cast<T>(I{1} << kMantissaBits))), x);
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const auto offset = Set(di, math::kIsF32<D> ? static_cast<I>(0x3F3504F3) : static_cast<I>(0x3FE6A09E667F3BCD));
  const auto distance = Sub(BitCast(di, normal), offset);
  const auto k = Sub(ConvertTo(d, ShiftRight<kMantissaBits>(distance)),
                     IfThenElseZero(denormal, Set(d, static_cast<T>(kMantissaBits))));
  const auto fraction = And(distance, Set(di, (I{1} << kMantissaBits) - 1));
  const auto f = Sub(BitCast(d, Add(fraction, offset)), Set(d, T{1}));
  // log(1 + f) = 2 atanh(s), s = f / (2 + f) = f - s (f - s^2 L(s^2)).
  const auto s = Div(f, Add(f, Set(d, T{2})));
  const auto z = Mul(s, s);
  Vec<D> l, high, low;
  if constexpr (math::kIsF32<D>) {
    l = Polynomial(d, z, 0.6666666655f, 0.4000012309f, 0.2855069897f, 0.2333341875f);
    high = Set(d, 0.693359375f);
    low = Set(d, -2.12194440e-4f);
  } else {
    l = Polynomial(d, z, 0.666666666666666975, 0.399999999998978882, 0.285714286266513765, 0.222222110317709142,
                   0.181828962049824564, 0.153314978772935872, 0.146190954004593388);
    high = Set(d, 6.93145751953125e-1);
    low = Set(d, 1.42860682030941723212e-6);
  }
  const auto small = Sub(Mul(k, low), Mul(s, NegMulAdd(z, l, f)));
  auto y = MulAdd(k, high, Add(f, small));
  y = IfThenElse(Eq(x, Zero(d)), Neg(Inf(d)), y);
  y = IfThenElse(Lt(x, Zero(d)), NaN(d), y);
  return IfThenElse(Lt(x, Inf(d)), y, Add(x, x));  // infinity and NaN
}

/// 1 / (1 + e^-x)
template <class D>
HWY_INLINE Vec<D> Sigmoid(D d, Vec<D> x) {
  const auto one = Set(d, TFromD<D>{1});
  return Div(one, Add(one, Exp(d, Neg(x))));
}

/// The logistic function s(x) and its derivative s(x) (1 - s(x)), which keeps its precision where s rounds to 1.
template <class D>
struct Logistic {
  Vec<D> value, slope;
};

template <class D>
HWY_INLINE Logistic<D> LogisticCurve(D d, Vec<D> x) {
  const auto one = Set(d, TFromD<D>{1});
  const auto e = Exp(d, Neg(Abs(x)));
  const auto r = Div(one, Add(one, e));  // s(|x|)
  const auto er = Mul(e, r);
  return {IfThenElse(Lt(x, Zero(d)), er, r), Mul(er, r)};
}

/// By e = exp(-2|x|) - 1, which does not cancel for small x: tanh |x| = -e / (2 + e).
template <class D>
HWY_INLINE Vec<D> Tanh(D d, Vec<D> x) {
  using T = TFromD<D>;
  const RebindToUnsigned<D> du;
  const auto one = Set(d, T{1});
  // Beyond -2|x| = -20 (-40), tanh is 1 to the last bit. A comparison is used because Max drops NaNs on some targets.
  const auto lowest = Set(d, static_cast<T>(math::kIsF32<D> ? -20 : -40));
  auto y = Mul(Set(d, T{-2}), Abs(x));
  y = IfThenElse(Lt(y, lowest), lowest, y);
  const auto parts = math::exp_parts(d, y);
  const auto scale = BitCast(d, Add(BitCast(du, one), parts.exponent));
  const auto e = MulAdd(scale, parts.expm1, Sub(scale, one));
  return CopySign(Div(Neg(e), Add(e, Set(d, T{2}))), x);
}

namespace math {

// erfc(a) / exp(-a^2) for a >= 0, which decreases slowly from 1 like 1 / (a sqrt(pi)): (1 + 2a) times it is smooth in t
// = (a - K) / (a + K). Shepherd and Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x <
// infinity", Mathematics of Computation 36 (1981). Beyond 11 (27), where exp(-a^2) is 0, a is clamped.
template <class D>
HWY_INLINE Vec<D> scaled_erfc(D d, Vec<D> a) {
  using T = TFromD<D>;
  const auto cut = Min(Set(d, static_cast<T>(kIsF32<D> ? 11 : 27)), a);
  const auto k = Set(d, static_cast<T>(kIsF32<D> ? 2 : 3));
  const auto below = Add(cut, k), slope = MulAdd(Set(d, T{2}), cut, Set(d, T{1}));
  const auto inverse = Div(Set(d, T{1}), Mul(below, slope));  // one division for both quotients
  const auto t = Mul(Mul(Sub(cut, k), slope), inverse);
  Vec<D> g;
  if constexpr (kIsF32<D>) {
    g = Polynomial(d, t, 1.276978397f, -0.09276401107f, -0.1660317199f, 0.1640558975f, -0.05420082554f,
                   -0.008061505464f, 0.008618486878f, 0.001310663845f, -0.00121417914f, -0.0003908637145f);
  } else {
    g = Polynomial(d, t, 1.25300805826972977, -0.135621106124576298, -0.0475622943534850879, 0.129645158702265935,
                   -0.119273663413657144, 0.068308027358963979, -0.0237705149483868351, 0.00252939160502069045,
                   0.00188869061846083884, -0.00077983061604982064, -0.000105160996127905302, 0.0001250914376763623,
                   4.95226803613401389e-6, -0.0000200765484689659668, -7.33114157525027057e-7, 3.42573216501750798e-6,
                   3.49435953854636745e-7, -5.59981319092044286e-7, -1.22268013476304742e-7, 6.20452760684267512e-8,
                   2.21126014848143591e-8);
  }
  return Mul(g, Mul(below, inverse));
}

// exp(-a b) for a b >= 0. Rounding the product would lose precision; a fused multiply-add, where available, avoids
// this.
template <class D>
HWY_INLINE Vec<D> exp_of_minus_product(D d, Vec<D> a, Vec<D> b) {
  const auto product = Mul(a, b);
  if constexpr (kIsF32<D>) {
    return Exp(d, Neg(product));  // f32 results only need a small absolute error
  } else {
    const auto e = Exp(d, Neg(product));
    const auto rest = MulSub(a, b, product);
    return IfThenElse(Lt(product, Set(d, 1e3)), NegMulAdd(rest, e, e), e);  // rest is NaN where the product overflows
  }
}

}  // namespace math

/// The normal distribution at x: its integral from -infinity to x, and its density.
template <class D>
struct Normal {
  Vec<D> cdf, density;
};

/// cdf with an absolute error of 2e-7 (f32) and 5e-16 (f64). For x > -1 the relative error is as small; below, f32
/// loses x^2 / 2 units in the last place.
template <class D>
HWY_INLINE Normal<D> NormalDistribution(D d, Vec<D> x) {
  using T = TFromD<D>;
  const auto e = math::exp_of_minus_product(d, x, Mul(Set(d, static_cast<T>(0.5)), x));
  const auto a = Mul(Abs(x), Set(d, static_cast<T>(0.70710678118654752440)));
  const auto tail = Mul(Mul(Set(d, static_cast<T>(0.5)), e), math::scaled_erfc(d, a));
  return {IfThenElse(Lt(x, Zero(d)), tail, Sub(Set(d, T{1}), tail)),
          Mul(e, Set(d, static_cast<T>(0.39894228040143267794)))};
}

}  // namespace rapt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // once per target
