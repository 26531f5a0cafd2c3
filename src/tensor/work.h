// What kernels have done, as they count it themselves: what a profile divides by the time that they took. The entry
// point of each kernel counts its work where its formula stands; products are counted by matmul.
#pragma once

#include "tensor/types.h"

namespace rapt {

struct Work {
  double flop = 0;   ///< multiplications and additions of matrix products, those of attention among them
  double bytes = 0;  ///< that other kernels read and write: each element of their operands once
};

/// By kernels that were called on this thread, since it began.
Work work_done();

/// Counts products. Neither of the two counts anything inside a body of parallel_for: who called that has counted.
void count_flop(double flop);
/// Counts elements of type T that are read or written.
template <typename T>
void count_elements(Dim count);

/// How often an output is touched: written, or read and written.
constexpr Dim touches(Write write) { return write == Write::kAdd ? 2 : 1; }

namespace detail {
void count_bytes(double bytes);
}  // namespace detail

template <typename T>
void count_elements(Dim count) {
  detail::count_bytes(static_cast<double>(count) * sizeof(T));
}

}  // namespace rapt
