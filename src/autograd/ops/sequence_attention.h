// Attention with one head over packed sequences that keeps its weights: for recurrent encoder-decoders.
#pragma once

#include <vector>

#include "autograd/variable.h"
#include "tensor/kernels/sequence_attention.h"
#include "tensor/packed.h"

namespace rapt {

/// What the queries of a packing attend to.
struct AttentionMemory {
  Variable keys;    ///< [S, C]: what scores are computed with
  Variable memory;  ///< [S, M]: what is averaged; may be `keys`
  Packed layout;    ///< of the S rows
  /// For each sequence of queries the sequence of keys that it attends to. Empty: that of the same number. Decoding
  /// sets it, where several hypotheses share a source; then there are no gradients.
  std::vector<std::int32_t> sequences = {};
};

struct SequenceAttentionOutput {
  Variable context;  ///< [N, M]
  Tensor weights;    ///< for each sequence a [T, S] array of its T queries and S keys, one after another; no gradient
};

/// Every query of a sequence attends to all keys of one sequence.
///
///     e_s = score . tanh(key_s + query),  a = softmax(e),  context = sum_s a_s memory_s
///
/// \param query   [N, C], of `layout`
/// \param score   [C] or [1, C]
/// \throws ShapeError  if shapes do not fit, or a sequence has queries but no keys
///
/// Differentiable in query, score, keys and memory. Bahdanau, Cho, Bengio 2014, "Neural Machine Translation by Jointly
/// Learning to Align and Translate", arXiv 1409.0473, appendix A.1.2; the matrices are applied outside.
SequenceAttentionOutput additive_attention(const Variable& query, const Packed& layout, const Variable& score,
                                           const AttentionMemory& over);

/// The same with e_s = key_s . query. Luong, Pham, Manning 2015, "Effective Approaches to Attention-based Neural
/// Machine Translation", arXiv 1508.04025, section 3.1: "dot", and "general" if a matrix was applied to the keys.
SequenceAttentionOutput dot_attention(const Variable& query, const Packed& layout, const AttentionMemory& over);

/// One group per sequence, all of its queries together. \param op  start of messages
/// \throws ShapeError  if the two packings do not fit, or a sequence has queries but no keys
std::vector<kernels::AttentionGroup> attention_groups(const char* op, const Packed& queries,
                                                      const AttentionMemory& over);
/// The number of weights of all groups.
Dim weights_of(const std::vector<kernels::AttentionGroup>& groups);

}  // namespace rapt
