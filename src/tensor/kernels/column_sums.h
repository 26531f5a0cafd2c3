// Column sums over rows that have the same bits on any number of threads: rows are divided into blocks by the problem's
// shape, and the sums of the blocks are added to the total in order.
#pragma once

#include <algorithm>

#include "tensor/matmul.h"
#include "tensor/parallel.h"
#include "tensor/tensor.h"

namespace rapt::kernels {

// sums (+)= x_0 + x_1 + ... over the rows of x, in blocks of 128 rows.
template <typename X>
void column_sums(Compute<X>* sums, Write write, Matrix<const X> x);

// The same on the calling thread, row after row. With kAssign and no rows, `sums` is unchanged.
template <typename X>
void add_rows(Compute<X>* sums, Write write, Matrix<const X> x);

/// `count` vectors of column sums [C] for each block of rows.
template <typename T>
class ColumnSums {
 public:
  /// \param rows  rows per block
  ColumnSums(Dim N, Dim C, Dim count, Dim rows)
      : rows_(rows),
        blocks_((N + rows - 1) / rows),
        C_(C),
        count_(count),
        sums_(Tensor::empty({blocks_, count, C}, dtype_of<T>)) {}

  Dim rows() const { return rows_; }
  Dim blocks() const { return blocks_; }

  /// The sums of the block that starts at row `begin`, initially undefined: fill all `count` of them.
  T* of_block(Dim begin) { return sums_.template data<T>() + begin / rows_ * count_ * C_; }

  /// total (+)= vector number `which` of all blocks. Does nothing if `total` is null.
  void add_to(T* total, Write write, Dim which) const {
    if (total == nullptr) return;
    if (blocks_ == 0 && write == Write::kAssign) std::fill_n(total, C_, T{0});
    const T* const sums = sums_.template data<T>() + which * C_;
    parallel_blocks(C_, 1024, [&](Dim begin, Dim end) {
      add_rows<T>(total + begin, write, {sums + begin, blocks_, end - begin, count_ * C_});
    });
  }

 private:
  Dim rows_, blocks_, C_, count_;
  Tensor sums_;
};

/// Rows per block for kernels on whole rows: at most 64 blocks, so that their sums stay small compared with the input.
constexpr Dim rows_of_few_blocks(Dim N, Dim C) { return std::max(rows_per_block(C), (N + 63) / 64); }

/// sums (+)= the sums over the rows of an [N, C] array, in pieces of 128 rows and 1024 columns: piece(to, r0, r1, c0,
/// c1) assigns those of rows [r0, r1) and columns [c0, c1).
template <typename T, typename Piece>
void sum_in_pieces(T* sums, Write write, Dim N, Dim C, Piece&& piece) {
  constexpr Dim kColumns = 1024;
  ColumnSums<T> blocks(N, C, 1, 128);
  const Dim across = (C + kColumns - 1) / kColumns;
  parallel_for(blocks.blocks() * across, [&](Dim i) {
    const Dim r0 = i / across * blocks.rows(), c0 = i % across * kColumns;
    piece(blocks.of_block(r0) + c0, r0, std::min(N, r0 + blocks.rows()), c0, std::min(C, c0 + kColumns));
  });
  blocks.add_to(sums, write, 0);
}

}  // namespace rapt::kernels
