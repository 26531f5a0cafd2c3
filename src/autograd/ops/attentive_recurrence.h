// A recurrent decoder whose input at each step depends on its attention at this step or the one before.
#pragma once

#include <optional>
#include <vector>

#include "autograd/ops/recurrent.h"
#include "autograd/ops/sequence_attention.h"

namespace rapt {

/// The parameters of a decoder whose steps depend on attention.
struct AttentiveDecoder {
  RecurrentCell cell = RecurrentCell::kLstm;
  /// Bottom first. The bottom layer reads the step's input and what is fed to it: [in + fed width].
  std::vector<RecurrentWeights> layers;
  Variable query;    ///< [C, C]: with `score`
  Variable score;    ///< [C] or [1, C]: additive scores; undefined: products of key and state
  Variable combine;  ///< [C, C + M]: attention after the cell; undefined: before it
  /// [N, C] for each layer but the bottom one: factors of its input, 0 or 1 / (1 - p) of dropout. Empty: none.
  std::vector<Tensor> masks = {};
};

/// The state of a decoder between two steps.
struct AttentiveState {
  std::vector<RecurrentState> layers;  ///< bottom first, [B, C]; undefined members are zeros
  Tensor fed;                          ///< [B, C]: f of the last step, if attention is after the cell; undefined: zeros
};

struct AttentiveOutput {
  Variable states;      ///< [N, C]: h of the top layer, or f if attention is after the cell
  Variable contexts;    ///< [N, M]: c, if attention is before the cell
  Tensor weights;       ///< as SequenceAttentionOutput::weights
  AttentiveState last;  ///< to continue from; no gradients
};

/// For each token y of a sequence, in order, with m the memory and e the scores of additive_attention() or
/// dot_attention():
///
///     without combine:  a = softmax(e(query(h before))),  c = sum_s a_s m_s,  h = cells([y; c])
///     with combine:     h = cells([y; f before]),  a = softmax(e(query(h) or h)),  c = sum_s a_s m_s,
///                       f = tanh(combine([h; c]))
///
/// where h is the top layer's state and each layer but the bottom one reads the one below. The inputs' product, and the
/// gradients of all parameters, are each one product over all steps.
///
/// \param x        [N, in]: y of all tokens
/// \param initial  states before the first step; differentiable in those of the layers, not in `fed`
/// \throws ShapeError  if the shapes do not fit
///
/// Differentiable in x, keys, memory, all parameters and the initial states of the layers. Bahdanau, Cho, Bengio 2014,
/// arXiv 1409.0473 (without combine; without its maxout layer); Luong, Pham, Manning 2015, arXiv 1508.04025,
/// section 3.3 (with combine: input feeding).
AttentiveOutput attentive_recurrence(const Variable& x, const Packed& layout, const AttentiveDecoder& decoder,
                                     const AttentionMemory& over, const AttentiveState& initial);

}  // namespace rapt
