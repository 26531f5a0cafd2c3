#include "tensor/kernels/copy_rows.h"

#include <algorithm>

#include "tensor/parallel.h"
#include "tensor/work.h"

namespace rapt::kernels {

template <typename T>
void copy_rows(T* to, const std::int32_t* to_rows, Dim to_stride, const T* from, const std::int32_t* from_rows,
               Dim from_stride, Dim rows, Dim C) {
  count_elements<T>(2 * rows * C);
  parallel_blocks(rows, rows_per_block(C), [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) {
      const T* const source = from + (from_rows == nullptr ? i : from_rows[i]) * from_stride;
      std::copy(source, source + C, to + (to_rows == nullptr ? i : to_rows[i]) * to_stride);
    }
  });
}
RAPT_INSTANTIATE(copy_rows);
RAPT_INSTANTIATE_ONE(Bf16, kBF16, copy_rows)

}  // namespace rapt::kernels
