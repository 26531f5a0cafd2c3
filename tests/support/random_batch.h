// Packed batches of random tokens, the same on every machine.
#pragma once

#include "tensor/batch.h"
#include "tensor/random.h"

namespace rapt::testing {

/// Integers in [0, bound), i32.
inline Tensor random_ids(const Shape& shape, Dim bound, std::uint64_t seed) {
  Rng rng(random_key(seed, Purpose::kText));
  Tensor ids = Tensor::empty(shape, DType::kI32);
  for (std::int32_t& id : ids.span<std::int32_t>()) {
    id = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(bound)));
  }
  return ids;
}

/// Sequences of these lengths, every token predicted; no segments, no labels.
inline Batch random_batch(const std::vector<Dim>& lengths, Dim vocabulary, std::uint64_t seed) {
  Batch batch;
  batch.layout = pack_lengths(lengths);
  const Dim N = batch.layout.rows();
  const Tensor ids = random_ids({N, 2}, vocabulary, seed);  // a token and its target, row by row
  batch.tokens = Tensor::empty({N}, DType::kI32);
  batch.positions = Tensor::empty({N}, DType::kI32);
  batch.targets = Tensor::empty({N}, DType::kI32);
  batch.target_rows = all_rows(N);
  Dim n = 0;
  for (const Dim length : lengths) {
    for (Dim i = 0; i < length; ++i, ++n) {
      batch.tokens.data<std::int32_t>()[n] = ids.data<std::int32_t>()[2 * n];
      batch.targets.data<std::int32_t>()[n] = ids.data<std::int32_t>()[2 * n + 1];
      batch.positions.data<std::int32_t>()[n] = static_cast<std::int32_t>(i);
    }
  }
  return batch;
}

/// The second half of each sequence is segment 1.
inline Tensor halves(const Packed& layout) {
  Tensor segments = Tensor::zeros({layout.rows()}, DType::kI32);
  const auto offsets = layout.offsets.span<std::int32_t>();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    for (Dim n = (offsets[b] + offsets[b + 1] + 1) / 2; n < offsets[b + 1]; ++n) segments.data<std::int32_t>()[n] = 1;
  }
  return segments;
}

/// Sequences [begin, end) of a batch, with their labels and their targets.
inline Batch part_of(const Batch& batch, Dim begin, Dim end) {
  const auto offsets = batch.layout.offsets.span<std::int32_t>();
  std::vector<Dim> lengths;
  for (Dim b = begin; b < end; ++b) {
    lengths.push_back(offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)]);
  }
  const Dim first = offsets[static_cast<std::size_t>(begin)], last = offsets[static_cast<std::size_t>(end)];
  Batch part;
  part.layout = pack_lengths(lengths);
  part.tokens = batch.tokens.slice(first, last);
  part.positions = batch.positions.slice(first, last);
  if (batch.segments.defined()) part.segments = batch.segments.slice(first, last);
  if (batch.labels.defined()) {
    const Dim B = batch.layout.sequences(), labels = batch.labels.shape()[0];
    part.labels = batch.labels.slice(begin * labels / B, end * labels / B);
  }
  std::vector<std::int32_t> rows, targets;
  for (Dim m = 0; m < batch.targets.size(); ++m) {
    const std::int32_t row = batch.target_rows.data<std::int32_t>()[m];
    if (row < first || row >= last) continue;
    rows.push_back(row - static_cast<std::int32_t>(first));
    targets.push_back(batch.targets.data<std::int32_t>()[m]);
  }
  const auto M = static_cast<Dim>(rows.size());
  part.target_rows = Tensor::from(rows, {M});
  part.targets = Tensor::from(targets, {M});
  return part;
}

}  // namespace rapt::testing
