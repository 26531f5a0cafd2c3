// The work that kernels have done, counted by the kernels: a profile divides it by their time. The entry point of each
// kernel counts its work, next to its formula; matmul counts products.
#pragma once

#include "tensor/types.h"

namespace rapt {

struct Work {
  double flop = 0;   ///< multiplications and additions of matrix products, including attention's
  double bytes = 0;  ///< read and written by other kernels: each element of their operands once
};

/// Work of kernels that were called on this thread since it started.
Work work_done();

/// Counts products. Neither function counts anything inside a body of parallel_for, because the caller has already
/// counted.
void count_flop(double flop);
/// Counts elements of type T that are read or written.
template <typename T>
void count_elements(Dim count);

/// How often an output is accessed: written, or read and written.
constexpr Dim touches(Write write) { return write == Write::kAdd ? 2 : 1; }

namespace detail {
void count_bytes(double bytes);
}  // namespace detail

template <typename T>
void count_elements(Dim count) {
  detail::count_bytes(static_cast<double>(count) * sizeof(T));
}

}  // namespace rapt
