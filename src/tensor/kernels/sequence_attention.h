// Attention with one head over packed sequences, as recurrent decoders use it: additive scores (Bahdanau, Cho, Bengio
// 2014) or products (Luong, Pham, Manning 2015). The weights are kept. The number of queries may be one per sequence,
// for a decoder that takes one step at a time, or all of a sequence's.
#pragma once

#include <span>

#include "tensor/types.h"

namespace rapt::kernels {

/// Consecutive queries that attend to the same consecutive keys.
struct AttentionGroup {
  Dim first_query = 0, queries = 0;
  Dim first_key = 0, keys = 0;
  Dim weights = 0;   ///< index of the first of queries x keys weights
  Dim sequence = 0;  ///< for the rows of dscore: groups of one call have different ones
};

template <typename T>
struct SequenceAttention {
  Dim C = 0, M = 0;
  const T* keys = nullptr;    // [S, C]
  const T* memory = nullptr;  // [S, M]
  const T* score = nullptr;   // [C], or null: the score is the product of query and key
};

// e_s = sum_j score_j tanh(key_sj + query_j), or key_s . query; weights = softmax(e); context = sum_s weight_s
// memory_s.
template <typename T>
void sequence_attention_forward(T* contexts, T* weights, const T* queries, const SequenceAttention<T>& over,
                                std::span<const AttentionGroup> groups);

// The gradients of the scores' operands: dqueries is assigned, dkeys and dscores are added to. dscores [B, C] has a row
// per sequence; null if there is no `score`.
template <typename T>
void sequence_attention_backward(T* dqueries, T* dkeys, T* dscores, const T* dcontexts, const T* weights,
                                 const T* queries, const SequenceAttention<T>& over,
                                 std::span<const AttentionGroup> groups);

// dmemory_s += sum over queries of weight_s dcontext.
template <typename T>
void sequence_attention_memory_backward(T* dmemory, Dim M, const T* dcontexts, const T* weights,
                                        std::span<const AttentionGroup> groups);

}  // namespace rapt::kernels
