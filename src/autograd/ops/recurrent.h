// Recurrent layers over packed sequences: LSTM and GRU.
#pragma once

#include <vector>

#include "autograd/variable.h"
#include "tensor/kernels/recurrent_cell.h"
#include "tensor/time_steps.h"

namespace rapt {

/// The parameters of a layer in one direction, with PyTorch's shapes and order of gates: i, f, g, o of an LSTM (G = 4);
/// r, z, n of a GRU (G = 3).
struct RecurrentWeights {
  Variable input;           ///< W_ih [G C, in]
  Variable recurrent;       ///< W_hh [G C, C]
  Variable input_bias;      ///< b_ih [G C], or undefined for none
  Variable recurrent_bias;  ///< b_hh [G C], or undefined for none
};

/// States of all sequences, [B, C]; of a layer in both directions, [B, 2 C]: forward, then reverse.
struct RecurrentState {
  Variable h;
  Variable c;  ///< LSTM only
};

struct RecurrentOutput {
  Variable y;           ///< [N, C]: h after each token; in both directions [N, 2 C]
  RecurrentState last;  ///< after each sequence's last token; in reverse, after its first
};

/// Long short-term memory. For each token x of a sequence, in order:
///
///     i, f, o = sigmoid(W_i x + b_i + U_i h + a_i) and likewise,  g = tanh(W_g x + b_g + U_g h + a_g)
///     c = f c + i g,  h = o tanh(c)
///
/// with W = W_ih, U = W_hh, b = b_ih, a = b_hh, and the h and c of the token before, or `initial`. The inputs of all
/// tokens are multiplied in one product. Sequences are sorted by length inside, so that each time step is one product
/// over those that have it. The gradient of W_hh is one product over all steps.
///
/// \param x        [N, in]
/// \param layers   one set of weights: forward; two: forward and reverse, which both read x
/// \param initial  undefined: zeros
/// \throws ShapeError  if the shapes do not fit; std::invalid_argument unless there are one or two sets of weights
///
/// Differentiable in x, the weights and the initial states; both outputs take gradients. Keeps 5 C elements per token
/// and direction besides x and y. Hochreiter, Schmidhuber 1997, "Long Short-Term Memory", Neural Computation 9; Gers,
/// Schmidhuber, Cummins 2000 (forget gate).
RecurrentOutput lstm(const Variable& x, const Packed& layout, const std::vector<RecurrentWeights>& layers,
                     const RecurrentState& initial = {});

/// Gated recurrent unit. For each token x of a sequence, in order:
///
///     r, z = sigmoid(W_r x + b_r + U_r h + a_r) and likewise,  n = tanh(W_n x + b_n + r (U_n h + a_n))
///     h = (1 - z) n + z h
///
/// The reset gate applies after the product, as in cuDNN and PyTorch. Everything else is as in lstm(); keeps 4 C
/// elements per token and direction besides x and y. Cho et al. 2014, "Learning Phrase Representations using RNN
/// Encoder-Decoder for Statistical Machine Translation", arXiv 1406.1078.
RecurrentOutput gru(const Variable& x, const Packed& layout, const std::vector<RecurrentWeights>& layers,
                    const RecurrentState& initial = {});

/// lstm() or gru().
RecurrentOutput recurrent(RecurrentCell cell, const Variable& x, const Packed& layout,
                          const std::vector<RecurrentWeights>& layers, const RecurrentState& initial = {});

/// Checks a layer's weights for inputs of width `in`. \param op  start of the message. \return  C
/// \throws ShapeError
Dim check_recurrent(const char* op, RecurrentCell cell, const RecurrentWeights& weights, Dim in);

}  // namespace rapt
