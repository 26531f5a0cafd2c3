// Column sums over rows that have the same bits on any number of threads: rows are divided into blocks by the problem's
// shape, and the sums of the blocks are added to the total in order.
#pragma once

#include <algorithm>

#include "tensor/parallel.h"
#include "tensor/tensor.h"

namespace rapt::kernels {

/// `count` vectors of column sums [C] for each block of rows. There are at most 64 blocks, so the sums stay small
/// compared with the input.
template <typename T>
class ColumnSums {
 public:
  ColumnSums(Dim N, Dim C, Dim count)
      : rows_(std::max(rows_per_block(C), (N + 63) / 64)),
        blocks_((N + rows_ - 1) / rows_),
        C_(C),
        count_(count),
        sums_(Tensor::empty({blocks_, count, C}, dtype_of<T>)) {}

  /// Rows per block: parallel_blocks(N, sums.rows(), ...).
  Dim rows() const { return rows_; }

  /// The sums of the block that starts at row `begin`, initially undefined: fill all `count` of them.
  T* of_block(Dim begin) { return sums_.template data<T>() + begin / rows_ * count_ * C_; }

  /// total += vector number `which` of all blocks. Does nothing if `total` is null.
  void add_to(T* total, Dim which) const {
    if (total == nullptr) return;
    const T* const sums = sums_.template data<T>() + which * C_;
    parallel_blocks(C_, 1024, [&](Dim first, Dim last) {
      for (Dim block = 0; block < blocks_; ++block) {
        for (Dim c = first; c < last; ++c) total[c] += sums[block * count_ * C_ + c];
      }
    });
  }

 private:
  Dim rows_, blocks_, C_, count_;
  Tensor sums_;
};

}  // namespace rapt::kernels
