// Attention over packed sequences: each sequence attends to itself (self-attention) or to the corresponding sequence of
// another packing (cross-attention). There is no padding and no mask tensor, and no T x T matrix is stored.
#pragma once

#include "autograd/variable.h"
#include "tensor/packed.h"
#include "tensor/random.h"

namespace rapt {

/// kCausal: in a sequence with T queries and S keys, query i sees keys 0 .. S - T + i. With T = S, these are the keys
/// up to its own position; with fewer queries than keys (decoding with a cache), the queries are the last T positions.
enum class AttentionMask { kNone, kCausal };

struct AttentionOptions {
  Dim heads = 1;
  AttentionMask mask = AttentionMask::kCausal;
  double scale = 0;    ///< multiplies the scores; 0 means 1 / sqrt(head width)
  double dropout = 0;  ///< on the probabilities, in steps of 1 / 65536
  DropoutKey key{};    ///< which probabilities are dropped
};

/// Scaled dot-product attention of each packed sequence to itself.
///
///     y_i = sum_j softmax_j(scale q_i . k_j) v_j        per head, over the keys j that query i sees
///
/// \param qkv     [N, 3C]: queries, keys, values side by side; in each, head h is columns [h D, (h+1) D), D = C / heads
/// \param layout  of the N rows
/// \return        [N, C]
/// \throws ShapeError  if qkv is not [N, 3C], heads do not divide C or the offsets do not end at N;
///                     std::invalid_argument unless 0 <= dropout < 1
///
/// Differentiable in qkv. Besides its inputs (as operands, perhaps in bf16) and its output, it keeps one number per row
/// and head. Vaswani et al., "Attention Is All You Need", 2017, arXiv 1706.03762, section 3.2; computed tile by tile as
/// in Dao et al., "FlashAttention", 2022, arXiv 2205.14135.
Variable self_attention(const Variable& qkv, const Packed& layout, const AttentionOptions& options);

/// The same, with queries from one packing, and keys and values from another with the same number of sequences: queries
/// of sequence b see keys of sequence b.
///
/// \param q   [N, C]
/// \param kv  [S, 2C]: keys, values side by side
/// \return    [N, C]; zeros for a query that sees no key
/// \throws ShapeError  as self_attention, and if the packings have different numbers of sequences
///
/// Differentiable in q and kv.
Variable cross_attention(const Variable& q, const Variable& kv, const Packed& queries, const Packed& keys,
                         const AttentionOptions& options);

}  // namespace rapt
