// Shared by the tiled attention kernels: one head of one sequence, the tile sizes, and the division of work into tasks.
#pragma once

#include <algorithm>
#include <memory>

#include "tensor/kernels/attention.h"
#include "tensor/storage.h"

namespace rapt::kernels {

// 64 queries by 256 keys: f32 scores take 64 KB, and the keys and the values of heads of 64 columns take 64 KB each, so
// that a tile's working set stays in a second-level cache of 512 KB. A multiple of 8 keys, because dropout draws bits
// for 8 at once.
constexpr Dim kQueryTile = 64, kKeyTile = 256;
// Queries of one forward task, which packs the keys they see once.
constexpr Dim kQueryChunk = 256;
// Rows of scores are one cache line longer than the tile. Otherwise all rows would map to a few sets of the cache.
constexpr Dim kScoresStride = kKeyTile + 16;

/// One head of one sequence, with operands of type E.
template <typename E>
struct AttentionHead {
  const E *q, *k, *v;  // first row and column
  Dim q_stride, k_stride, v_stride;
  Dim queries, keys, D;
  bool causal;
  double scale;
  DropoutRule dropout;
  std::uint64_t place, place_step;  // place of the first query's random bits, and the step to the next query's

  /// Query i sees the keys [0, seen(i)).
  Dim seen(Dim i) const {
    if (!causal) return keys;
    const Dim n = keys - queries + i + 1;
    return n > 0 ? n : 0;
  }
  /// The first query that sees key j.
  Dim first_seeing(Dim j) const {
    if (!causal) return 0;
    const Dim i = queries - keys + j;
    return i > 0 ? i : 0;
  }
};

/// The scale is multiplied into the keys, or into the scores if that would round keys in bf16 once more.
template <typename E>
inline constexpr bool kScalesKeys = std::is_floating_point_v<E>;
template <typename E>
Compute<E> key_scale(const AttentionHead<E>& at) {
  return kScalesKeys<E> ? static_cast<Compute<E>>(at.scale) : Compute<E>{1};
}

/// Additional data for the backward pass.
template <typename E>
struct AttentionHeadGradients {
  using T = Compute<E>;
  const E* dy;
  const T *y, *log_sum_exp;
  Dim dy_stride, y_stride, lse_stride;
  T *dq, *dk, *dv;  // nullptr: not needed
  Dim dq_stride, dk_stride, dv_stride;
  Write write_q, write_kv;
};

/// Number of pairs of one of T queries and one of the S keys that it sees.
inline Dim seen_pairs(Dim T, Dim S, bool causal) {
  const Dim n = std::min(T, S);  // the last n queries see keys
  return causal ? n * S - n * (n - 1) / 2 : T * S;
}
/// The same for all sequences.
inline Dim seen_pairs(const AttentionProblem& problem) {
  Dim pairs = 0;
  for (std::size_t b = 0; b + 1 < problem.queries.size(); ++b) {
    pairs +=
        seen_pairs(problem.queries[b + 1] - problem.queries[b], problem.keys[b + 1] - problem.keys[b], problem.causal);
  }
  return pairs;
}

/// Heads [head0, head1) of a sequence, some of its queries or keys.
struct AttentionTask {
  Dim sequence, head0, head1, begin, end;
};

/// Minimum number of multiply-adds of scores and values per task, so that a task is worth the overhead.
constexpr Dim kTaskWork = 150'000;

/// Number of heads per task for a sequence of T queries and S keys.
inline Dim heads_per_task(const AttentionProblem& problem, Dim T, Dim S, Dim D) {
  const Dim work = (problem.causal ? 1 : 2) * T * S * D + 1;
  const Dim groups = std::min(problem.heads, (problem.heads * work + kTaskWork - 1) / kTaskWork);
  return (problem.heads + groups - 1) / groups;
}

/// Head h of sequence b.
template <typename E>
AttentionHead<E> head_of(const AttentionProblem& problem, Matrix<const E> q, Matrix<const E> k, Matrix<const E> v,
                         Dim sequence, Dim head) {
  const auto b = static_cast<std::size_t>(sequence);
  const Dim row = problem.queries[b], key_row = problem.keys[b], D = q.cols / problem.heads;
  return {.q = q.data + row * q.stride + head * D,
          .k = k.data + key_row * k.stride + head * D,
          .v = v.data + key_row * v.stride + head * D,
          .q_stride = q.stride,
          .k_stride = k.stride,
          .v_stride = v.stride,
          .queries = problem.queries[b + 1] - row,
          .keys = problem.keys[b + 1] - key_row,
          .D = D,
          .causal = problem.causal,
          .scale = problem.scale,
          .dropout = problem.dropout,
          .place = static_cast<std::uint64_t>((problem.dropout.key.first_row + row) * problem.heads + head),
          .place_step = static_cast<std::uint64_t>(problem.heads)};
}

/// Queries [begin, end) of one head, on this thread, in attention_forward.cpp. y and log_sum_exp (nullptr: not needed)
/// point to the first row of the sequence and the first column of the head.
template <typename E>
void forward_head(const AttentionHead<E>& at, Dim begin, Dim end, Compute<E>* y, Dim y_stride, Compute<E>* log_sum_exp,
                  Dim lse_stride);

/// Scratch memory for one task on this thread. It is kept, because every update needs the same amount again.
template <typename T>
T* task_memory(Dim elements) {
  thread_local std::unique_ptr<Storage> memory;
  const std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(T);
  if (memory == nullptr || memory->bytes() < bytes) {
    memory.reset();
    memory = std::make_unique<Storage>(bytes);
  }
  return static_cast<T*>(memory->data());
}

/// Divides scratch memory into arrays, each from a cache line on.
struct Arrays {
  std::byte* memory;
  Dim used = 0;

  template <typename T>
  T* take(Dim elements) {
    T* const array = memory == nullptr ? nullptr : reinterpret_cast<T*>(memory + used);
    used += (elements * static_cast<Dim>(sizeof(T)) + 63) / 64 * 64;
    return array;
  }
};

}  // namespace rapt::kernels
