// Random tensors for tests: the same numbers on every machine.
#pragma once

#include <cmath>

#include "autograd/variable.h"
#include "tensor/random.h"

namespace rapt::testing {

/// Uniform in [low, high).
inline Tensor random_tensor(const Shape& shape, std::uint64_t seed, DType dtype = DType::kF64, double low = -1,
                            double high = 1) {
  Tensor t = Tensor::empty(shape, dtype);
  Rng rng(random_key(seed, Purpose::kInitialisation));
  dispatch_float(dtype, [&]<typename T>() {
    for (T& x : t.span<T>()) x = static_cast<T>(low + (high - low) * rng.uniform());
  });
  return t;
}

/// A leaf that requires a gradient.
inline Variable random_variable(const Shape& shape, std::uint64_t seed, DType dtype = DType::kF64) {
  return Variable(random_tensor(shape, seed, dtype), true);
}

/// Largest |a - b|.
inline double max_difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(DType::kF64), y = b.to(DType::kF64);
  double worst = 0;
  for (Dim i = 0; i < x.size(); ++i) {
    const double difference = x.data<double>()[i] - y.data<double>()[i];
    worst = difference != difference ? 1e300 : std::max(worst, difference < 0 ? -difference : difference);
  }
  return worst;
}

/// The root of the mean square of a - b, divided by that of b.
inline double relative_error(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(DType::kF64), y = b.to(DType::kF64);
  double error = 0, size = 0;
  for (Dim i = 0; i < x.size(); ++i) {
    const double difference = x.data<double>()[i] - y.data<double>()[i];
    error += difference * difference;
    size += y.data<double>()[i] * y.data<double>()[i];
  }
  return std::sqrt(error / size);
}

}  // namespace rapt::testing
