#include "tensor/kernels/packed_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "tensor/parallel.h"
#include "tensor/work.h"

namespace rapt::kernels {

// The elements of a column of one sequence are K apart. K is one or two, so vectors would gain nothing.

template <typename T>
void packed_cross_entropy_forward(double* losses, double* lse, const T* x, std::span<const std::int32_t> offsets,
                                  const std::int32_t* targets, Dim K) {
  count_elements<T>(offsets.back() * K);
  parallel_for(static_cast<Dim>(offsets.size()) - 1, [&](Dim b) {
    const Dim begin = offsets[static_cast<std::size_t>(b)], end = offsets[static_cast<std::size_t>(b) + 1];
    for (Dim k = 0; k < K; ++k) {
      const auto at = [&](Dim n) { return static_cast<double>(x[n * K + k]); };
      double highest = at(begin), sum = 0;
      for (Dim n = begin + 1; n < end; ++n) highest = std::max(highest, at(n));
      for (Dim n = begin; n < end; ++n) sum += std::exp(at(n) - highest);
      lse[b * K + k] = highest + std::log(sum);
      losses[b * K + k] = lse[b * K + k] - at(begin + targets[b * K + k]);
    }
  });
}
RAPT_INSTANTIATE(packed_cross_entropy_forward);

template <typename T>
void packed_cross_entropy_backward(T* dx, Write write, const T* x, std::span<const std::int32_t> offsets,
                                   const std::int32_t* targets, const double* lse, double factor, Dim K) {
  count_elements<T>((1 + touches(write)) * offsets.back() * K);
  parallel_for(static_cast<Dim>(offsets.size()) - 1, [&](Dim b) {
    const Dim begin = offsets[static_cast<std::size_t>(b)], end = offsets[static_cast<std::size_t>(b) + 1];
    for (Dim n = begin; n < end; ++n) {
      for (Dim k = 0; k < K; ++k) {
        const double p = std::exp(static_cast<double>(x[n * K + k]) - lse[b * K + k]);
        const auto gradient = static_cast<T>(factor * (n - begin == targets[b * K + k] ? p - 1 : p));
        dx[n * K + k] = write == Write::kAdd ? dx[n * K + k] + gradient : gradient;
      }
    }
  });
}
RAPT_INSTANTIATE(packed_cross_entropy_backward);

}  // namespace rapt::kernels
