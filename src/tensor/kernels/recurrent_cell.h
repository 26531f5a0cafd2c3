// The cells of recurrent networks: everything of one time step but its products.
//
// LSTM: Hochreiter, Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate of Gers,
// Schmidhuber, Cummins 2000. GRU: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
// Statistical Machine Translation", 2014, arXiv 1406.1078, with the reset gate applied after the product, as in cuDNN
// and PyTorch.
#pragma once

#include "tensor/types.h"

namespace rapt {

enum class RecurrentCell : std::uint8_t { kLstm, kGru };

/// Rows of the matrices of a cell, in units of the state's width C: LSTM i, f, g, o; GRU r, z, n.
constexpr Dim gates_of(RecurrentCell cell) { return cell == RecurrentCell::kLstm ? 4 : 3; }

namespace kernels {

/// One time step of A sequences, with G = gates_of(cell). Arrays [N, ...] have a row per token, and `rows` says which
/// ones the step has. Arrays [A, ...] have a row per sequence.
template <typename T>
struct CellStep {
  RecurrentCell cell;
  Dim C = 0;
  Dim A = 0;
  const std::int32_t* rows = nullptr;  // [A]
  const T* product = nullptr;          // [A, G C]: h_before W_hh^T + b_hh
  const T* input = nullptr;            // [A, G C]: a part of the input's product, or null for none
  // [N, 4 C]. With `filled`, its first G C columns hold a part of the input's product. Receives the gates: i, f, g, o
  // of an LSTM; r, z, n and W_hn h_before + b_hn of a GRU.
  T* gates = nullptr;
  bool filled = true;
  T* state = nullptr;  // [A, C]: h_before, receives h
  T* cells = nullptr;  // [A, C]: c_before, receives c (LSTM)
  T* y = nullptr;      // [N, C], rows y_stride apart: receives h
  Dim y_stride = 0;
  T* kept_cells = nullptr;  // [N, C]: receives c (LSTM), or null
};

// i, f, o = sigmoid(...), g = tanh(...) of the sums of products; c = f c_before + i g; h = o tanh(c).
// r, z = sigmoid(...); n = tanh(x_n + r (W_hn h_before + b_hn)); h = (1 - z) n + z h_before.
template <typename T>
void cell_forward(const CellStep<T>& step);

template <typename T>
struct CellStepBackward {
  RecurrentCell cell;
  Dim C = 0;
  Dim A = 0;
  const std::int32_t* rows = nullptr;  // [A]
  const T* dy = nullptr;               // [N, C], rows dy_stride apart, or null
  Dim dy_stride = 0;
  T* gates = nullptr;  // [N, 4 C]: as cell_forward left them. Receives their gradients, before sigmoid and tanh
  const T* kept_cells = nullptr;  // [N, C]: c (LSTM)
  // What was before the step, c (LSTM) or h (GRU), in row before_rows[i] of an array with rows before_stride apart.
  const T* before = nullptr;
  const std::int32_t* before_rows = nullptr;  // [A]
  Dim before_stride = 0;
  T* dstate = nullptr;    // [A, C]: the gradient of h from later steps; receives z dh (GRU)
  T* dcells = nullptr;    // [A, C]: the gradient of c from later steps; receives that of c_before (LSTM)
  T* dproduct = nullptr;  // [A, G C]: receives the gradient of `product`
  T* dinput = nullptr;    // [A, G C]: receives the gradient of `input`; null if not needed, or if it is dproduct (LSTM)
};

// The gradients of the formulas above. The gradient of h_before is dproduct W_hh (LSTM), or dstate + dproduct W_hh
// (GRU).
template <typename T>
void cell_backward(const CellStepBackward<T>& step);

}  // namespace kernels
}  // namespace rapt
