// One recurrent layer in one direction, step by step: shared by the ops that run a layer over all steps and by those
// that do something else between the steps.
#pragma once

#include "autograd/ops/operands.h"
#include "autograd/variable.h"
#include "tensor/kernels/copy_rows.h"
#include "tensor/kernels/narrow.h"
#include "tensor/kernels/recurrent_cell.h"
#include "tensor/matmul.h"
#include "tensor/time_steps.h"

namespace rapt {

// The operands of products are of type T, or of type Bf16 with T = float (autograd/ops/operands.h).

/// y = x W^T + b, with matrices whose rows need not be adjacent. `b` may be null.
template <typename T, typename Operand>
void project(Matrix<T> y, Matrix<const Operand> x, Matrix<const Operand> W, const T* b);

/// An operand [rows, width] as a matrix.
template <typename Operand>
Matrix<const Operand> matrix_of(const Tensor& x) {
  return {x.data<Operand>(), x.shape()[0], x.shape()[1]};
}

/// An array [B, width] that changes from step to step, and the same as an operand: itself, or its copy in bf16.
struct StepArray {
  Tensor values, operand;

  StepArray() = default;
  /// \param like  an operand of the same products
  StepArray(Tensor array, const Tensor& like)
      : values(std::move(array)),
        operand(like.dtype() == DType::kBF16 ? Tensor::empty(values.shape(), DType::kBF16) : values) {}

  /// The first A rows of `values` have changed.
  void changed(Dim A) {
    if (operand.dtype() == DType::kBF16) {
      kernels::narrow(operand.data<Bf16>(), values.data<float>(), A * values.shape()[1]);
    }
  }
  /// The first A rows.
  template <typename Operand>
  Matrix<const Operand> rows(Dim A) const {
    return {operand.data<Operand>(), A, operand.shape()[1]};
  }
};

/// A layer's parameters: W_ih [G C, in] and W_hh [G C, C] as operands, b_ih [G C] and b_hh [G C], which may be
/// undefined.
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
  StepArray state;                  // [B, C], sorted: of the last step that each sequence had
  Tensor cells;                     // the same (LSTM)
  Tensor product;                   // [B, G C], scratch
  Tensor dstate, dcells;            // [B, C], sorted: backward
  StepArray dproduct, dinput;       // [B, G C]: backward, the gradients of a step's products
  Tensor dgates;                    // [N, 4 C]: gates after the backward pass, as an operand
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
  template <typename T, typename Operand>
  void fill_gates(Matrix<const Operand> x);

  /// One step for all sequences that have it. \param input  [A, G C] or null; \param y  [N, C]: receives the states
  template <typename T, typename Operand>
  void forward(Dim t, const T* input, T* y, Dim y_stride);

  /// Begins the backward pass with the gradients of the last states, in the order of the packing; may be undefined.
  void begin_backward(const Tensor& dh, const Tensor& dc, Dim column);
  /// One step back. \param y  as forward() left it, read by a GRU only; \param dy  may be null
  template <typename T, typename Operand>
  void backward(Dim t, const T* dy, Dim dy_stride, const T* y, Dim y_stride, bool wants_input);
  /// After the last step back, of all groups: before the methods that give gradients.
  void end_backward() { dgates = operand_like(weights.recurrent, gates); }

  /// Writes the state before each token's step to `before` [N, C], which has the type of y.
  /// \param y  columns [column, column + C) are as forward() left them, maybe in bf16
  void states_before(Tensor& before, const Tensor& y, Dim column) const;

  /// The gradients of W_hh and the biases, inputs `first` + 1 to `first` + 3 of an op whose input `first` is W_ih.
  /// \param before  an operand, as states_before() of all groups left it; undefined if W_hh's gradient is not wanted
  template <typename T, typename Operand>
  void give_parameters(Grads& d, std::size_t first, const Tensor& before);
  /// Columns [column, column + x.cols) of W_ih's gradient, into dW with `write`.
  template <typename T, typename Operand>
  void add_input_weight(Matrix<T> dW, Matrix<const Operand> x, Write write);
  /// The gradient of x, given the columns W of W_ih that it was multiplied with.
  template <typename T, typename Operand>
  void add_input(Matrix<T> dx, Matrix<const Operand> W, Write write);

  /// A tensor in sorted order, [B, C], into columns [column, column + C) of one in the order of the packing.
  void unsort(Tensor& to, const Tensor& sorted, Dim column) const;

 private:
  Tensor sorted(const Tensor& from, Dim column, DType dtype) const;
};

}  // namespace rapt
