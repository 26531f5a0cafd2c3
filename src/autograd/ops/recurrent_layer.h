// One recurrent layer in one direction, step by step: shared by the ops that run a layer over all steps and by those
// that do something else between the steps.
#pragma once

#include "autograd/variable.h"
#include "tensor/kernels/copy_rows.h"
#include "tensor/kernels/recurrent_cell.h"
#include "tensor/matmul.h"
#include "tensor/time_steps.h"

namespace rapt {

/// y (+)= x W^T + b, with matrices whose rows need not be adjacent. `b` may be null.
template <typename T>
void project(Matrix<T> y, Matrix<const T> x, Matrix<const T> W, const T* b, Write write = Write::kAssign);

/// The values of a layer's parameters: W_ih [G C, in], W_hh [G C, C], b_ih [G C], b_hh [G C]; biases may be undefined.
struct RecurrentTensors {
  Tensor input, recurrent, input_bias, recurrent_bias;
};

/// What a layer's forward pass leaves for the backward pass, and the states between steps. Arrays of all tokens are in
/// the order of the packing, arrays of a step in the order of TimeSteps::sequences. The sequences may be divided into
/// groups, with an object for each: groups share the arrays of all tokens.
struct RecurrentLayer {
  RecurrentCell cell;
  Dim C = 0;
  RecurrentTensors weights;
  TimeSteps steps;
  Tensor gates;                     // [N, 4 C]; backward: their gradients
  Tensor kept_cells;                // [N, C] (LSTM), if there will be a backward pass
  Tensor first_state, first_cells;  // [B, C], sorted
  Tensor state, cells;              // [B, C], sorted: of the last step that each sequence had
  Tensor product;                   // [B, G C], scratch; backward: the gradient of the product
  Tensor dstate, dcells;            // [B, C], sorted: backward
  Tensor dinput;                    // [B, G C]: backward, the gradient of a step's input product
  bool filled = true;               // gates hold the input's product for all tokens

  /// \param h, c  [B, C], the initial states in the order of the packing, columns [column, column + C) of a wider
  ///              matrix; undefined: zeros
  /// \param keep  there will be a backward pass
  RecurrentLayer(RecurrentCell cell, RecurrentTensors weights, TimeSteps steps, const Tensor& h, const Tensor& c,
                 Dim column, DType dtype, bool keep);
  /// The arrays of all tokens: new ones, or those of another group.
  void take_arrays(Dim rows, bool keep);
  void share_arrays(const RecurrentLayer& other);

  Dim gates_width() const { return gates_of(cell) * C; }
  Dim tokens() const { return gates.shape()[0]; }
  Dim sequences() const { return static_cast<Dim>(steps.sequences.size()); }

  /// gates = x W^T + b_ih for all tokens. W: the first columns of W_ih that x has.
  template <typename T>
  void fill_gates(Matrix<const T> x);

  /// One step for all sequences that have it. \param input  [A, G C] or null; \param y  [N, C]: receives the states
  template <typename T>
  void forward(Dim t, const T* input, T* y, Dim y_stride);

  /// Begins the backward pass with the gradients of the last states, in the order of the packing; may be undefined.
  void begin_backward(const Tensor& dh, const Tensor& dc, Dim column);
  /// One step back. \param y  as forward() left it; \param dy  may be null
  template <typename T>
  void backward(Dim t, const T* dy, Dim dy_stride, const T* y, Dim y_stride, bool wants_input);

  /// Writes the state before each token's step to `before` [N, C]. \param y  as forward() left it
  template <typename T>
  void states_before(T* before, const T* y, Dim y_stride) const;

  /// The gradients of W_hh and the biases, inputs `first` + 1 to `first` + 3 of an op whose input `first` is W_ih.
  /// \param before  as states_before() of all groups left it; null if the gradient of W_hh is not wanted
  template <typename T>
  void give_parameters(Grads& d, std::size_t first, const T* before);
  /// Columns [column, column + x.cols) of W_ih's gradient, into dW with `write`.
  template <typename T>
  void add_input_weight(Matrix<T> dW, Matrix<const T> x, Write write);
  /// The gradient of x, given the columns W of W_ih that it was multiplied with.
  template <typename T>
  void add_input(Matrix<T> dx, Matrix<const T> W, Write write);

  /// A tensor in sorted order, [B, C], into columns [column, column + C) of one in the order of the packing.
  void unsort(Tensor& to, const Tensor& sorted, Dim column) const;

 private:
  Tensor sorted(const Tensor& from, Dim column, DType dtype) const;
};

}  // namespace rapt
