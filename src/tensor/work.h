// Counts the work of kernels, for profiles: a rate is work divided by time. The entry point of each kernel counts its
// own work; matmul counts that of products.
#pragma once

#include "tensor/types.h"

namespace rapt {

struct Work {
  double flop = 0;   ///< multiplications and additions of matrix products, including attention
  double bytes = 0;  ///< read and written by other kernels, counting each element of their operands once
};

/// The work of all kernels that were called on this thread.
Work work_done();

/// Counts operations of products. Like count_elements, does nothing inside a body of parallel_for: the kernel that
/// called parallel_for has counted the work.
void count_flop(double flop);
/// Counts elements of type T that are read or written.
template <typename T>
void count_elements(Dim count);

/// How often an output element is accessed: written, or read and written.
constexpr Dim touches(Write write) { return write == Write::kAdd ? 2 : 1; }

namespace detail {
void count_bytes(double bytes);
}  // namespace detail

template <typename T>
void count_elements(Dim count) {
  detail::count_bytes(static_cast<double>(count) * sizeof(T));
}

}  // namespace rapt
