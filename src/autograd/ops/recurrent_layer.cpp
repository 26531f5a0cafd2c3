#include "autograd/ops/recurrent_layer.h"

#include <algorithm>

#include "tensor/kernels/column_sums.h"

namespace rapt {

template <typename T>
void project(Matrix<T> y, Matrix<const T> x, Matrix<const T> W, const T* b, Write write) {
  if (b == nullptr) return matmul<T>(y, x, Transpose::kNo, W, Transpose::kYes, write);
  const auto fill_bias = [=](Dim r0, Dim r1, Dim c0, Dim c1) {
    for (Dim row = r0; row < r1; ++row) std::copy(b + c0, b + c1, y.data + row * y.stride + c0);
  };
  matmul<T>(y, x, Transpose::kNo, W, Transpose::kYes, Write::kAdd, fill_bias);
}
#define RAPT_PROJECT(T, ...) template void project<T>(Matrix<T>, Matrix<const T>, Matrix<const T>, const T*, Write);
RAPT_FOR_FLOATS(RAPT_PROJECT)
#undef RAPT_PROJECT

namespace {

template <typename T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

}  // namespace

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
  state = sorted(h, column, dtype);
  if (lstm) cells = sorted(c, column, dtype);
  if (keep) first_state = state.clone();
  if (keep && lstm) first_cells = cells.clone();
  product = Tensor::empty({sequences(), gates_width()}, dtype);
}

void RecurrentLayer::take_arrays(Dim rows, bool keep) {
  gates = Tensor::empty({rows, 4 * C}, state.dtype());
  if (keep && cell == RecurrentCell::kLstm) kept_cells = Tensor::empty({rows, C}, state.dtype());
}

void RecurrentLayer::share_arrays(const RecurrentLayer& other) {
  gates = other.gates;
  kept_cells = other.kept_cells;
}

template <typename T>
void RecurrentLayer::fill_gates(Matrix<const T> x) {
  const Tensor& W = weights.input;
  project<T>({gates.data<T>(), tokens(), gates_width(), 4 * C}, x, {W.data<T>(), gates_width(), x.cols, W.shape()[1]},
             data_or_null<T>(weights.input_bias));
}

template <typename T>
void RecurrentLayer::forward(Dim t, const T* input, T* y, Dim y_stride) {
  const auto rows = steps.rows_of(t);
  const auto A = static_cast<Dim>(rows.size());
  project<T>({product.data<T>(), A, gates_width()}, {state.data<T>(), A, C},
             {weights.recurrent.data<T>(), gates_width(), C}, data_or_null<T>(weights.recurrent_bias));
  kernels::cell_forward<T>({.cell = cell,
                            .C = C,
                            .A = A,
                            .rows = rows.data(),
                            .product = product.data<T>(),
                            .input = input,
                            .gates = gates.data<T>(),
                            .filled = filled,
                            .state = state.data<T>(),
                            .cells = cells.defined() ? cells.data<T>() : nullptr,
                            .y = y,
                            .y_stride = y_stride,
                            .kept_cells = kept_cells.defined() ? kept_cells.data<T>() : nullptr});
}

void RecurrentLayer::begin_backward(const Tensor& dh, const Tensor& dc, Dim column) {
  dstate = sorted(dh, column, gates.dtype());
  if (cell == RecurrentCell::kLstm) dcells = sorted(dc, column, gates.dtype());
  product = Tensor::empty({sequences(), gates_width()}, gates.dtype());
}

template <typename T>
void RecurrentLayer::backward(Dim t, const T* dy, Dim dy_stride, const T* y, Dim y_stride, bool wants_input) {
  const auto rows = steps.rows_of(t);
  const auto A = static_cast<Dim>(rows.size());
  const bool lstm = cell == RecurrentCell::kLstm;
  if (wants_input && !dinput.defined()) dinput = lstm ? product : Tensor::empty(product.shape(), product.dtype());
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
                             .dproduct = product.data<T>(),
                             .dinput = wants_input && !lstm ? dinput.data<T>() : nullptr});
  matmul<T>({dstate.data<T>(), A, C}, {product.data<T>(), A, gates_width()}, Transpose::kNo,
            {weights.recurrent.data<T>(), gates_width(), C}, Transpose::kNo, lstm ? Write::kAssign : Write::kAdd);
}

template <typename T>
void RecurrentLayer::states_before(T* before, const T* y, Dim y_stride) const {
  for (Dim t = 0; t < steps.steps(); ++t) {
    const auto rows = steps.rows_of(t);
    const bool first = t == 0;
    kernels::copy_rows<T>(before, rows.data(), C, first ? first_state.data<T>() : y,
                          first ? nullptr : steps.rows_of(t - 1).data(), first ? C : y_stride,
                          static_cast<Dim>(rows.size()), C);
  }
}

template <typename T>
void RecurrentLayer::give_parameters(Grads& d, std::size_t first, const T* before) {
  const Dim N = tokens(), G = gates_of(cell);
  const T* const dgates = gates.data<T>();
  // A GRU's last gate: columns 2 C of the input's product, columns 3 C of the state's.
  const Dim shared = cell == RecurrentCell::kLstm ? 4 : 2;
  if (d.wants(first + 1)) {
    Grads::Slot dW = d.slot(first + 1);
    T* const to = dW.tensor.data<T>();
    matmul<T>({to, shared * C, C}, {dgates, N, shared * C, 4 * C}, Transpose::kYes, {before, N, C}, Transpose::kNo,
              dW.write);
    if (shared < G) {
      matmul<T>({to + shared * C * C, C, C}, {dgates + 3 * C, N, C, 4 * C}, Transpose::kYes, {before, N, C},
                Transpose::kNo, dW.write);
    }
  }
  if (!d.wants(first + 2) && !d.wants(first + 3)) return;
  Tensor sums = Tensor::empty({4 * C}, gates.dtype());
  kernels::column_sums<T>(sums.data<T>(), Write::kAssign, dgates, N, 4 * C);
  const auto add = [&](std::size_t input, Dim begin, Dim end, Dim at) {
    T* const to = d.data<T>(input) + at;
    for (Dim i = begin; i < end; ++i) to[i - begin] += sums.data<T>()[i];
  };
  if (d.wants(first + 2)) add(first + 2, 0, G * C, 0);
  if (d.wants(first + 3)) add(first + 3, 0, shared * C, 0);
  if (d.wants(first + 3) && shared < G) add(first + 3, 3 * C, 4 * C, 2 * C);
}

template <typename T>
void RecurrentLayer::add_input_weight(Matrix<T> dW, Matrix<const T> x, Write write) {
  matmul<T>(dW, {gates.data<T>(), tokens(), gates_width(), 4 * C}, Transpose::kYes, x, Transpose::kNo, write);
}

template <typename T>
void RecurrentLayer::add_input(Matrix<T> dx, Matrix<const T> W, Write write) {
  matmul<T>(dx, {gates.data<T>(), tokens(), gates_width(), 4 * C}, Transpose::kNo, W, Transpose::kNo, write);
}

#define RAPT_RECURRENT_LAYER(T, ...)                                                    \
  template void RecurrentLayer::fill_gates<T>(Matrix<const T>);                         \
  template void RecurrentLayer::forward<T>(Dim, const T*, T*, Dim);                     \
  template void RecurrentLayer::backward<T>(Dim, const T*, Dim, const T*, Dim, bool);   \
  template void RecurrentLayer::states_before<T>(T*, const T*, Dim) const;              \
  template void RecurrentLayer::give_parameters<T>(Grads&, std::size_t, const T*);      \
  template void RecurrentLayer::add_input_weight<T>(Matrix<T>, Matrix<const T>, Write); \
  template void RecurrentLayer::add_input<T>(Matrix<T>, Matrix<const T>, Write);
RAPT_FOR_FLOATS(RAPT_RECURRENT_LAYER)
#undef RAPT_RECURRENT_LAYER

}  // namespace rapt
