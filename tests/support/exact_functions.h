// The elementwise functions in long double, and the error of a result: the reference for vector math.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tensor/kernels/activation.h"

namespace rapt::testing {

/// The functions of tensor/kernels/math-inl.h.
enum class MathFunction { kExp, kLog, kTanh, kSigmoid, kCdf, kDensity };

inline const char* name_of(MathFunction f) {
  constexpr const char* kNames[] = {"exp", "log", "tanh", "sigmoid", "cdf", "density"};
  return kNames[static_cast<int>(f)];
}

inline long double exact(MathFunction f, long double x) {
  constexpr long double kRootHalf = 0.707106781186547524400844362104849039L;
  switch (f) {
    case MathFunction::kExp:
      return std::exp(x);
    case MathFunction::kLog:
      return std::log(x);
    case MathFunction::kTanh:
      return std::tanh(x);
    case MathFunction::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case MathFunction::kCdf:
      return std::erfc(-x * kRootHalf) / 2;
    case MathFunction::kDensity:
      return std::exp(-x * x / 2) * 0.398942280401432677939946059934381868L;
  }
  return x;
}

constexpr Activation kActivations[] = {Activation::kGelu,     Activation::kGeluTanh, Activation::kRelu,
                                       Activation::kSilu,     Activation::kTanh,     Activation::kSigmoid,
                                       Activation::kQuickGelu};

/// f(x), and f'(x) as a function of the kernel's argument: f(x) if backward_from_output(f), else x.
struct ValueAndSlope {
  long double value, slope;
};

// x s(z) and its derivative, where dz = dz/dx. Far from 0, s and 1 - s are 0 before x or dz become infinite.
inline ValueAndSlope exact_gated(long double x, long double z, long double dz) {
  const long double s = 1 / (1 + std::exp(-z)), rest = 1 / (1 + std::exp(z));
  return {s == 0 ? 0 : x * s, s == 0 || rest == 0 ? s : s + x * dz * s * rest};
}

inline ValueAndSlope exact(Activation f, long double x) {
  constexpr long double kTwiceRoot = 1.595769121605730711759678424151540842L;  // 2 sqrt(2 / pi)
  switch (f) {
    case Activation::kGelu: {
      const long double cdf = exact(MathFunction::kCdf, x), density = exact(MathFunction::kDensity, x);
      return {x * cdf, density == 0 ? cdf : cdf + x * density};
    }
    case Activation::kGeluTanh:
      return exact_gated(x, kTwiceRoot * (x + 0.044715L * x * x * x), kTwiceRoot * (1 + 3 * 0.044715L * x * x));
    case Activation::kSilu:
      return exact_gated(x, x, 1);
    case Activation::kQuickGelu:
      return exact_gated(x, 1.702L * x, 1.702L);
    case Activation::kRelu:
      return {x > 0 ? x : 0, x > 0 ? 1.0L : 0.0L};
    case Activation::kTanh:
      return {std::tanh(x), 1 - x * x};
    case Activation::kSigmoid:
      return {exact(MathFunction::kSigmoid, x), x * (1 - x)};
    case Activation::kNone:
      break;
  }
  return {x, 1};
}

/// The error bounds of activations and their derivatives in tensor/kernels/activation.h, in units in the last place of
/// the larger of 1 and the result.
constexpr double kActivationUnits = 3;

/// 2^k 2^-23 (f32) or 2^k 2^-52 (f64) for a normal number in [2^k, 2^(k+1)).
template <typename T>
double unit_in_last_place(double magnitude) {
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(magnitude) & 0x7FF0'0000'0000'0000u;
  return std::bit_cast<double>(exponent) * static_cast<double>(std::numeric_limits<T>::epsilon());
}

/// Both ends of every range that a function handles separately, and points where intermediate results overflow or
/// vanish: exponents and their squares, the limits of reduced ranges, denormals; each with its neighbours, in both
/// signs.
template <typename T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  const long double highest = std::log(static_cast<long double>(Limits::max())),
                    lowest = -std::log(static_cast<long double>(Limits::min())),
                    none = -std::log(static_cast<long double>(Limits::denorm_min()));
  std::vector<long double> centres = {0,
                                      Limits::min(),
                                      Limits::max(),
                                      std::sqrt(static_cast<long double>(Limits::min())),
                                      std::sqrt(static_cast<long double>(Limits::max())),
                                      std::cbrt(static_cast<long double>(Limits::max())),
                                      0.34657359L,
                                      0.5L,
                                      1,
                                      1.41421356L,
                                      2,
                                      10,
                                      20,
                                      24,
                                      40};
  for (const long double cut : {2.0L, 3.0L, 11.0L, 27.0L}) {  // of erfc, as |x| and as |x| / sqrt(2)
    centres.insert(centres.end(), {cut, cut * std::sqrt(2.0L)});
  }
  for (const long double e : {highest, lowest, none}) {
    centres.insert(centres.end(), {e, e / 2, e / 1.702L, std::sqrt(e), std::sqrt(2 * e)});
    long double x = 1;  // where the exponent of gelu-tanh is e: Newton's method
    for (int i = 0; i < 100; ++i) {
      x -= (1.59576912160573L * (x + 0.044715L * x * x * x) - e) / (1.59576912160573L * (1 + 0.134145L * x * x));
    }
    centres.push_back(x);
  }
  std::vector<T> xs;
  for (const long double centre : centres) {
    T up = static_cast<T>(centre), down = up;
    for (int i = 0; i < 300; ++i) {
      for (const T x : {up, down}) {
        if (std::isfinite(x)) xs.insert(xs.end(), {x, -x});
      }
      up = std::nextafter(up, Limits::infinity());
      down = std::nextafter(down, -Limits::infinity());
    }
  }
  return xs;
}

}  // namespace rapt::testing
