// Packings: sequences laid end to end instead of padded to one length (docs/architecture.md).
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace rapt {

/// B sequences with N rows in total: sequence b is rows [offsets[b], offsets[b + 1]).
struct Packed {
  Tensor offsets;   // [B+1] i32, offsets[0] = 0, offsets[B] = N
  Dim longest = 0;  // max(offsets[b+1] - offsets[b])

  Dim sequences() const { return offsets.size() - 1; }
  Dim rows() const { return offsets.data<std::int32_t>()[offsets.size() - 1]; }
};

/// The packing of sequences of the given lengths.
/// \throws ShapeError  if a length is negative or there are more than 2^31 - 1 rows
Packed pack_lengths(std::span<const Dim> lengths);

/// The row of each sequence's first or last token: [B] i32, for gather_rows.
/// \throws ShapeError  naming a sequence without tokens
Tensor first_rows(const Packed& layout);
Tensor last_rows(const Packed& layout);
/// Each row's position within its sequence, counted from 0: [N] i32.
Tensor positions_of(const Packed& layout);
/// The number of each row's sequence: [N] i32.
Tensor sequences_of(const Packed& layout);
/// All row numbers 0, 1 ... count - 1, i32.
Tensor all_rows(Dim count);

}  // namespace rapt
