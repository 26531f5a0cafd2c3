#include "autograd/ops/recurrent.h"

#include <algorithm>
#include <memory>
#include <string>

#include "autograd/ops/recurrent_layer.h"
#include "tensor/parallel.h"
#include "tensor/work.h"

namespace rapt {
namespace {

std::string shape_of(const Variable& v) { return v.defined() ? v.shape().to_string() : "none"; }

const char* name_of_op(RecurrentCell cell) { return cell == RecurrentCell::kLstm ? "lstm" : "gru"; }

void check_state(const char* op, const char* name, const Variable& state, const Shape& shape) {
  require_shape(!state.defined() || state.shape() == shape, [&] {
    return std::string(op) + ": the initial " + name + " must be " + shape.to_string() + ", got " + shape_of(state);
  });
}

// If a step has fewer operations than this, threads would mostly wait for each other at its end.
constexpr Dim kLeastStep = Dim{1} << 26;
constexpr Dim kGroupRows = 8, kMostGroups = 8;

// Groups of sequences that go through all steps without waiting for each other: a function of the shape.
Dim groups_of(RecurrentCell cell, Dim sequences, Dim C) {
  if (2 * sequences * gates_of(cell) * C * C >= kLeastStep) return 1;
  return std::clamp<Dim>(sequences / kGroupRows, 1, kMostGroups);
}

// Both directions of a layer, kept for the backward pass.
struct Pass {
  std::vector<std::vector<RecurrentLayer>> directions;  // each in groups of sequences
  Tensor x;                                             // an operand
  Tensor y;  // after the forward pass, an operand (LSTM): the backward pass of a GRU also computes with it

  Dim width() const { return directions[0][0].C; }
  bool is_lstm() const { return directions[0][0].cell == RecurrentCell::kLstm; }

  // run(group) for each: side by side, or one group with all threads for each of its products.
  template <typename F>
  void for_each_group(std::vector<RecurrentLayer>& groups, const F& run) const {
    if (groups.size() == 1) return run(groups[0]);
    const RecurrentLayer& first = groups[0];
    count_flop(2 * static_cast<double>(first.tokens() * first.gates_width() * first.C));
    const bool steady = SteadyProducts::wanted();
    parallel_for(
        static_cast<Dim>(groups.size()),
        [&](Dim g) {
          const SteadyProducts as_caller(steady);
          run(groups[static_cast<std::size_t>(g)]);
        },
        Schedule::kDynamic);
  }

  template <typename T, typename Operand>
  void forward() {
    const Dim C = width(), stride = y.shape()[1];
    for (std::size_t k = 0; k < directions.size(); ++k) {
      directions[k][0].fill_gates<T>(matrix_of<Operand>(x));
      T* const to = y.data<T>() + static_cast<Dim>(k) * C;
      for_each_group(directions[k], [to, stride](RecurrentLayer& group) {
        for (Dim t = 0; t < group.steps.steps(); ++t) group.forward<T, Operand>(t, nullptr, to, stride);
        group.product = Tensor();
      });
    }
  }

  // Inputs of the op: x, h, c, then W_ih, W_hh, b_ih, b_hh of each direction.
  template <typename T, typename Operand>
  void backward(std::span<const Tensor> dy, Grads& d) {
    const Dim C = width(), stride = y.shape()[1], N = x.shape()[0], in = x.shape()[1];
    const Tensor states = operand_like(x, y);
    Dim B = 0;
    for (const RecurrentLayer& group : directions[0]) B += group.sequences();
    Tensor dh = Tensor::empty({B, stride}, dtype_of<T>);
    Tensor dc = is_lstm() ? Tensor::empty(dh.shape(), dtype_of<T>) : Tensor();
    for (std::size_t k = 0; k < directions.size(); ++k) {
      const Dim column = static_cast<Dim>(k) * C;
      const T* const before_step = is_lstm() ? nullptr : y.data<T>() + column;
      const T* const dstates = dy[0].defined() ? dy[0].data<T>() + column : nullptr;
      for_each_group(directions[k], [&](RecurrentLayer& group) {
        group.begin_backward(dy[1], dy.size() > 2 ? dy[2] : Tensor(), column);
        for (Dim t = group.steps.steps(); t-- > 0;) {
          group.backward<T, Operand>(t, dstates, stride, before_step, stride, false);
        }
        group.unsort(dh, group.dstate, column);
        if (dc.defined()) group.unsort(dc, group.dcells, column);
      });
      RecurrentLayer& layer = directions[k][0];
      layer.end_backward();
      const std::size_t first = 3 + 4 * k;
      if (d.wants(first)) {
        Grads::Slot dW = d.slot(first);
        layer.add_input_weight<T>({dW.tensor.data<T>(), layer.gates_width(), in}, matrix_of<Operand>(x), dW.write);
      }
      Tensor before;
      if (d.wants(first + 1)) {
        before = Tensor::empty({N, C}, x.dtype());
        for (const RecurrentLayer& group : directions[k]) group.states_before(before, states, column);
      }
      layer.give_parameters<T, Operand>(d, first, before);
      if (d.wants(0)) {
        Grads::Slot dx = d.slot(0);
        layer.add_input<T>({dx.tensor.data<T>(), N, in}, matrix_of<Operand>(layer.weights.input), dx.write);
      }
      layer.dgates = Tensor();
    }
    d.give(1, dh);
    if (dc.defined()) d.give(2, dc);
  }
};

}  // namespace

Dim check_recurrent(const char* op, RecurrentCell cell, const RecurrentWeights& weights, Dim in) {
  const Dim G = gates_of(cell);
  const Shape& recurrent = weights.recurrent.shape();
  require_shape(recurrent.rank() == 2 && recurrent[0] == G * recurrent[1], [&] {
    return std::string(op) + ": W_hh must be [" + std::to_string(G) + " C, C], got " + recurrent.to_string();
  });
  const Dim C = recurrent[1];
  require_shape(weights.input.shape() == Shape{G * C, in}, [&] {
    return std::string(op) + ": W_ih must be " + Shape{G * C, in}.to_string() + ", got " + shape_of(weights.input);
  });
  for (const Variable* bias : {&weights.input_bias, &weights.recurrent_bias}) {
    require_shape(!bias->defined() || bias->shape() == Shape{G * C}, [&] {
      return std::string(op) + ": a bias must be " + Shape{G * C}.to_string() + ", got " + shape_of(*bias);
    });
  }
  return C;
}

RecurrentOutput recurrent(RecurrentCell cell, const Variable& x, const Packed& layout,
                          const std::vector<RecurrentWeights>& layers, const RecurrentState& initial) {
  const char* const op = name_of_op(cell);
  if (layers.empty() || layers.size() > 2) {
    throw std::invalid_argument(std::string(op) + ": there must be weights for one or two directions, got " +
                                std::to_string(layers.size()));
  }
  require_shape(x.shape().rank() == 2 && x.shape()[0] == layout.rows(), [&] {
    return std::string(op) + ": x must be [" + std::to_string(layout.rows()) + ", in] for this layout, got " +
           x.shape().to_string();
  });
  const bool is_lstm = cell == RecurrentCell::kLstm;
  std::vector<Variable> inputs = {x, initial.h, is_lstm ? initial.c : Variable()};
  Dim C = 0;
  for (const RecurrentWeights& w : layers) {
    C = check_recurrent(op, cell, w, x.shape()[1]);
    for (const Variable* v : {&w.input, &w.recurrent, &w.input_bias, &w.recurrent_bias}) inputs.push_back(*v);
  }
  const Shape state{layout.sequences(), C * static_cast<Dim>(layers.size())};
  check_state(op, "h", initial.h, state);
  if (is_lstm) check_state(op, "c", initial.c, state);

  bool recording = false;
  for (const Variable& input : inputs) recording = recording || is_recording({&input});
  auto pass = std::make_shared<Pass>();
  pass->x = operand(x.value());
  pass->y = Tensor::empty({x.shape()[0], state[1]}, x.dtype());
  Tensor h = Tensor::empty(state, x.dtype()), c = is_lstm ? Tensor::empty(state, x.dtype()) : Tensor();
  const auto value_of = [](const Variable& v) { return v.defined() ? v.value() : Tensor(); };
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const RecurrentWeights& w = layers[k];
    const RecurrentTensors weights{weight_operand(w.input.value()), weight_operand(w.recurrent.value()),
                                   value_of(w.input_bias), value_of(w.recurrent_bias)};
    std::vector<RecurrentLayer>& groups = pass->directions.emplace_back();
    for (TimeSteps& steps : grouped_time_steps(layout, k == 0 ? Direction::kForward : Direction::kReverse,
                                               groups_of(cell, layout.sequences(), C))) {
      groups.emplace_back(cell, weights, std::move(steps), value_of(initial.h), value_of(initial.c),
                          static_cast<Dim>(k) * C, x.dtype(), recording);
      if (groups.size() == 1) {
        groups[0].take_arrays(x.shape()[0], recording);
      } else {
        groups.back().share_arrays(groups[0]);
      }
    }
  }
  dispatch_operand(pass->x, [&]<typename T, typename Operand>() { pass->forward<T, Operand>(); });
  for (std::size_t k = 0; k < layers.size(); ++k) {
    for (const RecurrentLayer& group : pass->directions[k]) {
      group.unsort(h, group.state.values, static_cast<Dim>(k) * C);
      if (is_lstm) group.unsort(c, group.cells, static_cast<Dim>(k) * C);
    }
  }

  std::vector<Tensor> values = {pass->y, h};
  if (is_lstm) values.push_back(c);
  if (recording && is_lstm) pass->y = operand_like(pass->x, pass->y);
  auto outputs = record_many(op, std::move(values), std::move(inputs), [pass](std::span<const Tensor> dy, Grads d) {
    dispatch_operand(pass->x, [&]<typename T, typename Operand>() { pass->backward<T, Operand>(dy, d); });
  });
  return {.y = outputs[0], .last = {.h = outputs[1], .c = is_lstm ? outputs[2] : Variable()}};
}

RecurrentOutput lstm(const Variable& x, const Packed& layout, const std::vector<RecurrentWeights>& layers,
                     const RecurrentState& initial) {
  return recurrent(RecurrentCell::kLstm, x, layout, layers, initial);
}

RecurrentOutput gru(const Variable& x, const Packed& layout, const std::vector<RecurrentWeights>& layers,
                    const RecurrentState& initial) {
  return recurrent(RecurrentCell::kGru, x, layout, layers, initial);
}

}  // namespace rapt
