// Scaled dot-product attention over packed sequences: scores, softmax, dropout and the product with the values in one
// pass over tiles. Nothing of size T x S is stored.
//
// The softmax runs over tiles of keys with a running maximum and sum (Milakov, Gimelshein, "Online normalizer
// calculation for softmax", 2018, arXiv 1805.02867; Rabe, Staats, "Self-attention Does Not Need O(n^2) Memory", 2021,
// arXiv 2112.05682; Dao et al., "FlashAttention", 2022, arXiv 2205.14135). A row whose keys fit one tile gets the plain
// two-pass softmax. Backward recomputes the probabilities from the row's log-sum-exp.
//
// The order of every sum depends only on its own sequence, so the bits depend neither on the threads nor on the rest of
// the batch.
#pragma once

#include <span>

#include "tensor/kernels/dropout.h"
#include "tensor/matmul.h"
#include "tensor/types.h"

namespace rapt::kernels {

/// Which queries attend to which keys.
struct AttentionProblem {
  std::span<const std::int32_t> queries;  ///< [B+1]: the queries of sequence b are rows [queries[b], queries[b+1])
  std::span<const std::int32_t> keys;     ///< [B+1]: its keys are rows [keys[b], keys[b+1])
  Dim heads = 1;                          ///< head h is columns [h D, (h+1) D), D = columns / heads
  bool causal = false;                    ///< query i of T sees only the first S - T + i + 1 of S keys
  double scale = 1;                       ///< factor of the scores
  DropoutRule dropout{};                  ///< dropout of the probabilities

  // The probability of row n (of all N), head h and key j of its sequence uses the 16 bits that DropoutRule gives to
  // column j, of philox4x32({j / 8, place low, place high, 1}, key) with place = (first_row + n) * heads + h.
};

// In these two, operands of products are of type E: f32, f64 or bf16. With bf16, p and ds are rounded to it where they
// are multiplied, and all else is f32.

// y_i = sum_j p_ij v_j,  p_i = softmax(scale q_i . k_j over the j that i sees), dropped and rescaled by dropout. A
// query that sees no key gives zeros. log_sum_exp [N, H] is log sum_j exp(scale q_i . k_j), or nullptr if there is no
// backward pass.
template <typename E>
void attention_forward(Matrix<Compute<E>> y, Compute<E>* log_sum_exp, Matrix<const E> q, Matrix<const E> k,
                       Matrix<const E> v, const AttentionProblem& problem);

/// Where gradients are written. Those without data are not computed (dk and dv only together).
template <typename T>
struct AttentionGradients {
  Matrix<T> dq, dk, dv;
  Write write_q = Write::kAssign, write_kv = Write::kAssign;
};

// With m_ij = 0 for dropped probabilities and 1 / (1 - p) for kept ones, delta_i = dy_i . y_i:
//   dv_j = sum_i m_ij p_ij dy_i,  ds_ij = scale p_ij (m_ij dy_i . v_j - delta_i),
//   dq_i = sum_j ds_ij k_j,       dk_j = sum_i ds_ij q_i.
template <typename E>
void attention_backward(const AttentionGradients<Compute<E>>& d, Matrix<const E> dy, Matrix<const Compute<E>> y,
                        const Compute<E>* log_sum_exp, Matrix<const E> q, Matrix<const E> k, Matrix<const E> v,
                        const AttentionProblem& problem);

/// The cache of one sequence: keys and values of `count` positions, including the new ones. Rows of both are C wide,
/// heads side by side. Sequences may share memory, so reordering beams copies no keys.
template <typename T>
struct AttentionCache {
  const T* keys = nullptr;
  const T* values = nullptr;
  Dim count = 0;
  std::span<const std::int32_t> rows = {};  ///< the row of each position; empty: position j is row j
  T* weights = nullptr;  ///< [count]: receives the probabilities of the last new row, averaged over the heads
};

// attention_forward without a backward pass, for decoding: keys and values stay in each sequence's cache, in rows
// `stride` elements apart. queries [B+1] are the offsets of the new rows. With `causal`, the T new rows of sequence b
// are the last T of its caches[b].count positions. A few rows read the cache once each; many rows (a prompt) use the
// tiles.
template <typename T>
void attention_cached(Matrix<T> y, Matrix<const T> q, std::span<const std::int32_t> queries,
                      std::span<const AttentionCache<T>> caches, Dim stride, Dim heads, double scale,
                      bool causal = true);

}  // namespace rapt::kernels
