// Copies rows between matrices whose rows need not be adjacent.
#pragma once

#include "tensor/types.h"

namespace rapt::kernels {

// to[to_rows[i]] = from[from_rows[i]] for i in [0, rows), C elements each. Null for rows: i itself. to_stride and
// from_stride are the distances of the rows of `to` and `from`; no row may be written twice.
template <typename T>
void copy_rows(T* to, const std::int32_t* to_rows, Dim to_stride, const T* from, const std::int32_t* from_rows,
               Dim from_stride, Dim rows, Dim C);

}  // namespace rapt::kernels
