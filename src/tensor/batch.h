// Packed batches: sequences laid end to end instead of padded to one length (docs/architecture.md). Shared by the code
// that makes batches (text) and the code that consumes them (nn, decode, train).
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace rapt {

/// B sequences with N tokens in total: sequence b is rows [offsets[b], offsets[b + 1]).
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
/// All row numbers 0, 1 ... count - 1, i32.
Tensor all_rows(Dim count);

/// The input and the targets of one training step.
struct Batch {
  Packed layout;
  Tensor tokens, positions;     // [N] i32; positions count from 0 within each sequence
  Tensor segments;              // [N] i32, BERT; undefined otherwise
  Tensor target_rows, targets;  // [M] i32: predicted rows and their targets; M <= N
  // Targets of whole sequences; undefined if there are none. Classes [B] i32; values [B] f32, or [B, K] if each
  // sequence has several; yes or no for each of K labels [B, K] f32; first and last token of an answer, counted from
  // the start of the sequence [B, 2] i32; the correct one of K consecutive sequences [B/K] i32.
  Tensor labels;
};

}  // namespace rapt
