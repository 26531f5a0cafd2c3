#include "autograd/ops/recurrent_layer.h"

#include <algorithm>

#include "autograd/ops/operands.h"
#include "tensor/kernels/column_sums.h"

namespace rapt {

template <typename T, typename Operand>
void project(Matrix<T> y, Matrix<const Operand> x, Matrix<const Operand> W, const T* b) {
  if (b == nullptr) return matmul<T, Operand>(y, x, Transpose::kNo, W, Transpose::kYes, Write::kAssign);
  const auto fill_bias = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    for (Dim row = r0; row < r1; ++row) std::copy(b + c0, b + c1, y.data + row * y.stride + c0);
  };
  matmul<T, Operand>(y, x, Transpose::kNo, W, Transpose::kYes, Write::kAdd, fill_bias);
}

Tensor RecurrentLayer::sorted(const Tensor& from, Dim column, DType dtype) const {
  const Dim B = sequences();
  if (!from.defined()) return Tensor::zeros({B, C}, dtype);
  Tensor to = Tensor::empty({B, C}, dtype);
  dispatch_float(dtype, [&]<typename T>() {
    kernels::copy_rows<T>(to.data<T>(), nullptr, C, from.data<T>() + column, steps.sequences.data(), from.shape()[1], B,
                          C);
  });
  return to;
}

void RecurrentLayer::unsort(Tensor& to, const Tensor& sorted, Dim column) const {
  dispatch_float(to.dtype(), [&]<typename T>() {
    kernels::copy_rows<T>(to.data<T>() + column, steps.sequences.data(), to.shape()[1], sorted.data<T>(), nullptr, C,
                          sequences(), C);
  });
}

RecurrentLayer::RecurrentLayer(RecurrentCell cell, RecurrentTensors weights, TimeSteps steps, const Tensor& h,
                               const Tensor& c, Dim column, DType dtype, bool keep)
    : cell(cell), C(weights.recurrent.shape()[1]), weights(std::move(weights)), steps(std::move(steps)) {
  const bool lstm = cell == RecurrentCell::kLstm;
  state = StepArray(sorted(h, column, dtype), this->weights.recurrent);
  state.changed(sequences());
  if (lstm) cells = sorted(c, column, dtype);
  if (keep) first_state = state.values.clone();
  if (keep && lstm) first_cells = cells.clone();
  product = Tensor::empty({sequences(), gates_width()}, dtype);
}

void RecurrentLayer::take_arrays(Dim rows, bool keep) {
  const DType dtype = state.values.dtype();
  gates = Tensor::empty({rows, 4 * C}, dtype);
  if (keep && cell == RecurrentCell::kLstm) kept_cells = Tensor::empty({rows, C}, dtype);
}

void RecurrentLayer::share_arrays(const RecurrentLayer& other) {
  gates = other.gates;
  kept_cells = other.kept_cells;
}

template <typename T, typename Operand>
void RecurrentLayer::fill_gates(Matrix<const Operand> x) {
  const Tensor& W = weights.input;
  project<T, Operand>({gates.data<T>(), tokens(), gates_width(), 4 * C}, x,
                      {W.data<Operand>(), gates_width(), x.cols, W.shape()[1]}, data_or_null<T>(weights.input_bias));
}

template <typename T, typename Operand>
void RecurrentLayer::forward(Dim t, const T* input, T* y, Dim y_stride) {
  const auto rows = steps.rows_of(t);
  const auto A = static_cast<Dim>(rows.size());
  project<T, Operand>({product.data<T>(), A, gates_width()}, state.rows<Operand>(A),
                      matrix_of<Operand>(weights.recurrent), data_or_null<T>(weights.recurrent_bias));
  kernels::cell_forward<T>({.cell = cell,
                            .C = C,
                            .A = A,
                            .rows = rows.data(),
                            .product = product.data<T>(),
                            .input = input,
                            .gates = gates.data<T>(),
                            .filled = filled,
                            .state = state.values.data<T>(),
                            .cells = cells.defined() ? cells.data<T>() : nullptr,
                            .y = y,
                            .y_stride = y_stride,
                            .kept_cells = kept_cells.defined() ? kept_cells.data<T>() : nullptr});
  state.changed(A);
}

void RecurrentLayer::begin_backward(const Tensor& dh, const Tensor& dc, Dim column) {
  dstate = sorted(dh, column, gates.dtype());
  if (cell == RecurrentCell::kLstm) dcells = sorted(dc, column, gates.dtype());
  dproduct = StepArray(Tensor::empty({sequences(), gates_width()}, gates.dtype()), weights.recurrent);
}

template <typename T, typename Operand>
void RecurrentLayer::backward(Dim t, const T* dy, Dim dy_stride, const T* y, Dim y_stride, bool wants_input) {
  const auto rows = steps.rows_of(t);
  const auto A = static_cast<Dim>(rows.size());
  const bool lstm = cell == RecurrentCell::kLstm;
  if (wants_input && !dinput.values.defined()) {
    dinput = lstm ? dproduct : StepArray(Tensor::empty(dproduct.values.shape(), gates.dtype()), weights.recurrent);
  }
  const Tensor first_rows = t == 0 ? all_rows(A) : Tensor();
  const T* before = lstm ? kept_cells.data<T>() : y;
  if (t == 0) before = lstm ? first_cells.data<T>() : first_state.data<T>();
  kernels::cell_backward<T>({.cell = cell,
                             .C = C,
                             .A = A,
                             .rows = rows.data(),
                             .dy = dy,
                             .dy_stride = dy_stride,
                             .gates = gates.data<T>(),
                             .kept_cells = data_or_null<T>(kept_cells),
                             .before = before,
                             .before_rows = t == 0 ? first_rows.data<std::int32_t>() : steps.rows_of(t - 1).data(),
                             .before_stride = t == 0 || lstm ? C : y_stride,
                             .dstate = dstate.data<T>(),
                             .dcells = dcells.defined() ? dcells.data<T>() : nullptr,
                             .dproduct = dproduct.values.data<T>(),
                             .dinput = wants_input && !lstm ? dinput.values.data<T>() : nullptr});
  dproduct.changed(A);
  if (wants_input && !lstm) dinput.changed(A);
  matmul<T, Operand>({dstate.data<T>(), A, C}, dproduct.rows<Operand>(A), Transpose::kNo,
                     matrix_of<Operand>(weights.recurrent), Transpose::kNo, lstm ? Write::kAssign : Write::kAdd);
}

void RecurrentLayer::states_before(Tensor& before, const Tensor& y, Dim column) const {
  const Tensor initial = operand_like(y, first_state);
  dispatch_operand(y, [&]<typename T, typename Operand>() {
    for (Dim t = 0; t < steps.steps(); ++t) {
      const auto rows = steps.rows_of(t);
      const bool first = t == 0;
      kernels::copy_rows<Operand>(
          before.data<Operand>(), rows.data(), C, first ? initial.data<Operand>() : y.data<Operand>() + column,
          first ? nullptr : steps.rows_of(t - 1).data(), first ? C : y.shape()[1], static_cast<Dim>(rows.size()), C);
    }
  });
}

template <typename T, typename Operand>
void RecurrentLayer::give_parameters(Grads& d, std::size_t first, const Tensor& before) {
  const Dim N = tokens(), G = gates_of(cell);
  // A GRU's last gate: columns 2 C of the input's product, columns 3 C of the state's.
  const Dim shared = cell == RecurrentCell::kLstm ? 4 : 2;
  if (d.wants(first + 1)) {
    Grads::Slot dW = d.slot(first + 1);
    T* const to = dW.tensor.data<T>();
    const Operand* const g = dgates.data<Operand>();
    matmul<T, Operand>({to, shared * C, C}, {g, N, shared * C, 4 * C}, Transpose::kYes, matrix_of<Operand>(before),
                       Transpose::kNo, dW.write);
    if (shared < G) {
      matmul<T, Operand>({to + shared * C * C, C, C}, {g + 3 * C, N, C, 4 * C}, Transpose::kYes,
                         matrix_of<Operand>(before), Transpose::kNo, dW.write);
    }
  }
  if (!d.wants(first + 2) && !d.wants(first + 3)) return;
  Tensor sums = Tensor::empty({4 * C}, gates.dtype());
  kernels::column_sums<T>(sums.data<T>(), Write::kAssign, {gates.data<T>(), N, 4 * C});
  const auto add = [&](std::size_t input, Dim begin, Dim end, Dim at) {
    T* const to = d.data<T>(input) + at;
    for (Dim i = begin; i < end; ++i) to[i - begin] += sums.data<T>()[i];
  };
  if (d.wants(first + 2)) add(first + 2, 0, G * C, 0);
  if (d.wants(first + 3)) add(first + 3, 0, shared * C, 0);
  if (d.wants(first + 3) && shared < G) add(first + 3, 3 * C, 4 * C, 2 * C);
}

template <typename T, typename Operand>
void RecurrentLayer::add_input_weight(Matrix<T> dW, Matrix<const Operand> x, Write write) {
  matmul<T, Operand>(dW, {dgates.data<Operand>(), tokens(), gates_width(), 4 * C}, Transpose::kYes, x, Transpose::kNo,
                     write);
}

template <typename T, typename Operand>
void RecurrentLayer::add_input(Matrix<T> dx, Matrix<const Operand> W, Write write) {
  matmul<T, Operand>(dx, {dgates.data<Operand>(), tokens(), gates_width(), 4 * C}, Transpose::kNo, W, Transpose::kNo,
                     write);
}

#define RAPT_RECURRENT_LAYER(T, Operand)                                                         \
  template void project(Matrix<T>, Matrix<const Operand>, Matrix<const Operand>, const T*);      \
  template void RecurrentLayer::fill_gates<T>(Matrix<const Operand>);                            \
  template void RecurrentLayer::forward<T, Operand>(Dim, const T*, T*, Dim);                     \
  template void RecurrentLayer::backward<T, Operand>(Dim, const T*, Dim, const T*, Dim, bool);   \
  template void RecurrentLayer::give_parameters<T, Operand>(Grads&, std::size_t, const Tensor&); \
  template void RecurrentLayer::add_input_weight(Matrix<T>, Matrix<const Operand>, Write);       \
  template void RecurrentLayer::add_input(Matrix<T>, Matrix<const Operand>, Write);
RAPT_RECURRENT_LAYER(float, float)
RAPT_RECURRENT_LAYER(double, double)
RAPT_RECURRENT_LAYER(float, Bf16)
#undef RAPT_RECURRENT_LAYER

}  // namespace rapt
