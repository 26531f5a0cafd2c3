#include "tensor/kernels/binary_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/parallel.h"
#include "tensor/work.h"

namespace rapt::kernels {

static constexpr Dim kBlock = 1024;

// There are few labels compared with the work for the logits, so double and the standard functions are fast enough.

template <typename T>
double binary_cross_entropy_forward(const T* x, const T* targets, Dim n) {
  count_elements<T>(2 * n);
  std::vector<double> sums(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    double sum = 0;
    for (Dim i = begin; i < end; ++i) {
      const auto z = static_cast<double>(x[i]);
      sum += std::max(z, 0.0) - z * static_cast<double>(targets[i]) + std::log1p(std::exp(-std::abs(z)));
    }
    sums[static_cast<std::size_t>(begin / kBlock)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}
RAPT_INSTANTIATE(binary_cross_entropy_forward);

template <typename T>
void binary_cross_entropy_backward(T* dx, Write write, const T* x, const T* targets, double factor, Dim n) {
  count_elements<T>((2 + touches(write)) * n);
  parallel_blocks(n, kBlock, [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) {
      const double s = 1 / (1 + std::exp(-static_cast<double>(x[i])));
      const auto gradient = static_cast<T>(factor * (s - static_cast<double>(targets[i])));
      dx[i] = write == Write::kAdd ? dx[i] + gradient : gradient;
    }
  });
}
RAPT_INSTANTIATE(binary_cross_entropy_backward);

}  // namespace rapt::kernels
