// Scaled dot-product attention over packed sequences: scores, softmax, dropout and the product with the values in one
// pass over tiles, nothing of size T x S kept.
//
// The softmax runs over tiles of keys with a running maximum and sum (Milakov, Gimelshein, "Online normalizer
// calculation for softmax", 2018, arXiv 1805.02867; Rabe, Staats, "Self-attention Does Not Need O(n^2) Memory", 2021,
// arXiv 2112.05682; Dao et al., "FlashAttention", 2022, arXiv 2205.14135); a row whose keys fit one tile gets the plain
// two-pass softmax. Backward recomputes the probabilities from the row's log-sum-exp.
//
// Every sum runs in an order that its own sequence fixes: the bits depend neither on the threads nor on what else the
// batch holds.
#pragma once

#include <span>

#include "tensor/kernels/dropout.h"
#include "tensor/matmul.h"
#include "tensor/types.h"

namespace rapt::kernels {

/// Who attends to whom.
struct AttentionProblem {
  std::span<const std::int32_t> queries;  ///< [B+1]: sequence b asks from rows [queries[b], queries[b+1])
  std::span<const std::int32_t> keys;     ///< [B+1]: and sees keys [keys[b], keys[b+1])
  Dim heads = 1;                          ///< head h is columns [h D, (h+1) D), D = columns / heads
  bool causal = false;                    ///< query i of T sees the first S - T + i + 1 of S keys only
  double scale = 1;                       ///< of the scores
  DropoutRule dropout{};                  ///< of the probabilities

  // The probability of row n (of all N), head h and key j of its sequence has the 16 bits that DropoutRule gives to
  // column j, of philox4x32({j / 8, place low, place high, 1}, key) with place = (first_row + n) * heads + h.
};

// y_i = sum_j p_ij v_j,  p_i = softmax(scale q_i . k_j over the j that i sees), dropped and rescaled by
// dropout. A query that sees no key gives zeros.
// log_sum_exp [N, H], or nullptr when there is no way back: log sum_j exp(scale q_i . k_j).
template <typename T>
void attention_forward(Matrix<T> y, T* log_sum_exp, Matrix<const T> q, Matrix<const T> k, Matrix<const T> v,
                       const AttentionProblem& problem);

/// Where gradients go; those without data are not computed (dk and dv only together).
template <typename T>
struct AttentionGradients {
  Matrix<T> dq, dk, dv;
  Write write_q = Write::kAssign, write_kv = Write::kAssign;
};

// With m_ij = 0 for dropped probabilities and 1 / (1 - p) for kept ones, delta_i = dy_i . y_i:
//   dv_j = sum_i m_ij p_ij dy_i,  ds_ij = scale p_ij (m_ij dy_i . v_j - delta_i),
//   dq_i = sum_j ds_ij k_j,       dk_j = sum_i ds_ij q_i.
template <typename T>
void attention_backward(const AttentionGradients<T>& d, Matrix<const T> dy, Matrix<const T> y, const T* log_sum_exp,
                        Matrix<const T> q, Matrix<const T> k, Matrix<const T> v, const AttentionProblem& problem);

/// What a sequence has been through: keys and values of `count` places, the new ones among them. Row j of each is C
/// wide, heads side by side; sequences may share memory, so beams that are reordered swap pointers.
template <typename T>
struct AttentionCache {
  const T* keys = nullptr;
  const T* values = nullptr;
  Dim count = 0;
};

// attention_forward without a way back, for decoding: keys and values lie where each sequence keeps them, in rows
// `stride` elements apart. queries [B+1] are offsets of the new rows; with `causal`, sequence b's T new rows are the
// last T of its caches[b].count places. A few rows stream the cache once each; many (a prompt) go through the tiles.
template <typename T>
void attention_cached(Matrix<T> y, Matrix<const T> q, std::span<const std::int32_t> queries,
                      std::span<const AttentionCache<T>> caches, Dim stride, Dim heads, double scale,
                      bool causal = true);

}  // namespace rapt::kernels
