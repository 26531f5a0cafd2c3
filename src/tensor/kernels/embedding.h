// Gathers rows from tables by index and sums them over several tables; scatters the gradients back.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/types.h"

namespace rapt::kernels {

/// Which row of which table each of the N outputs takes.
template <typename T>
struct RowLookup {
  const std::int32_t* ids;  ///< [N], each in [0, rows of the table)
  const T* table;           ///< [rows, C]
};

// y[n] = sum over lookups of table[ids[n]].
template <typename T>
void embedding_forward(T* y, std::span<const RowLookup<T>> lookups, Dim N, Dim C);

// dtable[r] += sum of dy[n] over all n with ids[n] = r, except r = skipped; rows that no n selects are not touched.
// Rows are added in the order of n, at most 64 before they are added to the row's total, so that a row shared by
// thousands of n keeps its precision.
template <typename T>
void embedding_backward(T* dtable, const T* dy, const std::int32_t* ids, Dim N, Dim rows, Dim C,
                        std::int32_t skipped = -1);

}  // namespace rapt::kernels
