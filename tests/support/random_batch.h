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
  const Packed layout = pack_lengths(lengths);
  const Dim N = layout.rows();
  const Tensor ids = random_ids({N, 2}, vocabulary, seed);  // a token and its target, row by row
  const Batch batch{
      .input = {.layout = layout, .tokens = Tensor::empty({N}, DType::kI32), .positions = positions_of(layout)},
      .targets = {.rows = all_rows(N), .ids = Tensor::empty({N}, DType::kI32)}};
  for (Dim n = 0; n < N; ++n) {
    Tensor tokens = batch.input.tokens, targets = batch.targets.ids;
    tokens.data<std::int32_t>()[n] = ids.data<std::int32_t>()[2 * n];
    targets.data<std::int32_t>()[n] = ids.data<std::int32_t>()[2 * n + 1];
  }
  return batch;
}

/// Pairs of random sequences of these lengths, every target token predicted.
inline Batch random_pairs(const std::vector<Dim>& source, const std::vector<Dim>& target, Dim vocabulary,
                          std::uint64_t seed) {
  Batch batch = random_batch(target, vocabulary, seed);
  batch.source = random_batch(source, vocabulary, seed + 1).input;
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

/// Sequences [begin, end) of a stream.
inline Stream part_of(const Stream& stream, Dim begin, Dim end) {
  const auto offsets = stream.layout.offsets.span<std::int32_t>();
  std::vector<Dim> lengths;
  for (Dim b = begin; b < end; ++b) {
    lengths.push_back(offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)]);
  }
  const Dim first = offsets[static_cast<std::size_t>(begin)], last = offsets[static_cast<std::size_t>(end)];
  return {.layout = pack_lengths(lengths),
          .tokens = stream.tokens.slice(first, last),
          .positions = stream.positions.slice(first, last),
          .segments = stream.segments.defined() ? stream.segments.slice(first, last) : Tensor()};
}

/// Sequences [begin, end) of a batch, with their labels and their targets.
inline Batch part_of(const Batch& batch, Dim begin, Dim end) {
  const auto offsets = batch.input.layout.offsets.span<std::int32_t>();
  const std::int32_t first = offsets[static_cast<std::size_t>(begin)], last = offsets[static_cast<std::size_t>(end)];
  Batch part{.input = part_of(batch.input, begin, end), .labels = batch.labels};
  if (batch.source) part.source = part_of(*batch.source, begin, end);
  const Dim B = batch.input.layout.sequences(), labels = label_count(batch.labels);
  std::visit(
      [&](auto& kept) {
        if constexpr (requires { kept.values; }) kept.values = kept.values.slice(begin * labels / B, end * labels / B);
      },
      part.labels);
  std::vector<std::int32_t> rows, ids;
  for (Dim m = 0; m < batch.targets.count(); ++m) {
    const std::int32_t row = batch.targets.rows.data<std::int32_t>()[m];
    if (row < first || row >= last) continue;
    rows.push_back(row - first);
    ids.push_back(batch.targets.ids.data<std::int32_t>()[m]);
  }
  part.targets = make_targets(rows, ids);
  return part;
}

}  // namespace rapt::testing
