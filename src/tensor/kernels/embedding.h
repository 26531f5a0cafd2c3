// Rows gathered from tables by index, summed over several tables, and their gradients scattered back.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/types.h"

namespace rapt::kernels {

/// Which row of which table each of N outputs takes.
template <typename T>
struct RowLookup {
  const std::int32_t* ids;  ///< [N], each in [0, rows of the table)
  const T* table;           ///< [rows, C]
};

// y[n] = sum over lookups of table[ids[n]].
template <typename T>
void embedding_forward(T* y, std::span<const RowLookup<T>> lookups, Dim N, Dim C);

// dtable[r] += sum of dy[n] over the n with ids[n] = r; rows without an n are not touched. Rows are added in the order
// of n, at most 64 before they are added to the row's total, so that a row that thousands of n share keeps its digits.
template <typename T>
void embedding_backward(T* dtable, const T* dy, const std::int32_t* ids, Dim N, Dim rows, Dim C);

}  // namespace rapt::kernels
