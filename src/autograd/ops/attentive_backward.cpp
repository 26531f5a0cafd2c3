#include "autograd/ops/attentive_pass.h"
#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/elementwise.h"

namespace rapt {
namespace {

// The gradients that the backward pass of the steps collects.
struct Collected {
  Tensor dcontexts;       // [N, M]
  Tensor dqueries;        // [N, C], with additive scores: an operand
  Tensor dcombined;       // [N, C], with `combine`: of what tanh is applied to, an operand
  Tensor all_queries;     // [N, C]: the queries again
  Tensor dkeys, dscores;  // [S, C], [B, C]
  Tensor dcontext;        // [B, M], scratch: of a step
  StepArray dfed;         // [B, C]: of f, from the next step
  StepArray scratch;      // [B, C]
};

// dstate (+)= W's share of a step's gradient.
template <typename T, typename Operand>
void flow(T* to, Matrix<const Operand> from, Matrix<const Operand> W, Write write) {
  matmul<T, Operand>({to, from.rows, W.cols}, from, Transpose::kNo, W, Transpose::kNo, write);
}

// Attention of step t, back: from the gradients of its contexts, in `dcontext`, to the top layer's state.
template <typename T, typename Operand>
void attend_backward(AttentivePass& p, Collected& c, Dim t, Dim A, const T* queries) {
  const Dim C = p.C();
  T* const dq = c.scratch.values.data<T>();
  kernels::sequence_attention_backward<T>(dq, c.dkeys.data<T>(), c.dscores.defined() ? c.dscores.data<T>() : nullptr,
                                          c.dcontext.data<T>(), p.weights.data<T>(), queries, p.attention<T>(),
                                          p.groups_of(t));
  T* const dstate = p.top().dstate.data<T>();
  if (!p.score.defined()) {
    kernels::add<T>(dstate, dstate, dq, A * C);
    return;
  }
  c.scratch.changed(A);
  const Matrix<const Operand> g = c.scratch.rows<Operand>(A);
  kernels::copy_rows<Operand>(c.dqueries.data<Operand>(), p.steps().rows_of(t).data(), C, g.data, nullptr, C, A, C);
  flow(dstate, g, matrix_of<Operand>(p.query), Write::kAdd);
}

// f = tanh(combine([h; c])) of step t, back to h and c.
template <typename T, typename Operand>
void combine_backward(AttentivePass& p, Collected& c, Dim t, Dim A, const Tensor& df) {
  const Dim C = p.C();
  const auto rows = p.steps().rows_of(t);
  const Dim width = C;
  T* const dfed = c.dfed.values.data<T>();
  const T *const f = p.f.data<T>(), *const given = df.defined() ? df.data<T>() : nullptr;
  parallel_blocks(A, rows_per_block(width), [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) {
      const Dim n = rows[static_cast<std::size_t>(i)] * width;
      for (Dim j = 0; j < width; ++j) {
        const T dy = dfed[i * width + j] + (given == nullptr ? T{0} : given[n + j]);
        dfed[i * width + j] = dy * (1 - f[n + j] * f[n + j]);
      }
    }
  });
  c.dfed.changed(A);
  const Matrix<const Operand> g = c.dfed.rows<Operand>(A);
  kernels::copy_rows<Operand>(c.dcombined.data<Operand>(), rows.data(), C, g.data, nullptr, C, A, C);
  flow(p.top().dstate.data<T>(), g, p.combine_part<Operand>(false), Write::kAdd);
  flow(c.dcontext.data<T>(), g, p.combine_part<Operand>(true), Write::kAssign);
  kernels::copy_rows<T>(c.dcontexts.data<T>(), rows.data(), p.M(), c.dcontext.data<T>(), nullptr, p.M(), A, p.M());
}

// All layers of step t, back to what the bottom one was fed.
template <typename T, typename Operand>
void layers_backward(AttentivePass& p, Collected& c, Dim t, Dim A, const T* dy) {
  const Dim C = p.C();
  for (std::size_t l = p.layers.size(); l-- > 0;) {
    RecurrentLayer& layer = p.layers[l];
    const T* const y = layer.cell == RecurrentCell::kGru ? p.y[l].data<T>() : nullptr;
    layer.backward<T, Operand>(t, l + 1 == p.layers.size() ? dy : nullptr, C, y, C, true);
    if (l == 0) break;
    T* const below = p.layers[l - 1].dstate.data<T>();
    const Matrix<const Operand> W = matrix_of<Operand>(layer.weights.input);
    if (p.masks.empty()) {
      flow(below, layer.dinput.rows<Operand>(A), W, Write::kAdd);
    } else {
      T* const share = c.scratch.values.data<T>();
      flow(share, layer.dinput.rows<Operand>(A), W, Write::kAssign);
      p.mask<T>(share, share, p.masks[l - 1], t);
      kernels::add<T>(below, below, share, A * C);
    }
  }
}

}  // namespace

// \param states  y of each layer as an operand
template <typename T, typename Operand>
void AttentivePass::give_layers(Grads& d, const std::vector<Tensor>& states) {
  const Dim in = x.shape()[1], width = C();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    RecurrentLayer& layer = layers[l];
    layer.end_backward();
    const std::size_t first = kLayers + kPerLayer * l;
    if (d.wants(first)) {
      Grads::Slot dW = d.slot(first);
      T* const to = dW.tensor.data<T>();
      if (l == 0) {
        const Dim whole = in + K(), rows = layer.gates_width();
        layer.add_input_weight<T>({to, rows, in, whole}, matrix_of<Operand>(x), dW.write);
        Tensor all = contexts;  // what was fed
        if (after()) {
          const Tensor initial = operand_like(x, first_fed), later = operand_like(x, f);
          all = Tensor::empty({N(), width}, x.dtype());
          for (Dim t = 0; t < steps().steps(); ++t) {
            const auto rows_t = steps().rows_of(t);
            kernels::copy_rows<Operand>(
                all.data<Operand>(), rows_t.data(), width, t == 0 ? initial.data<Operand>() : later.data<Operand>(),
                t == 0 ? nullptr : steps().rows_of(t - 1).data(), width, static_cast<Dim>(rows_t.size()), width);
          }
        }
        layer.add_input_weight<T>({to + in, rows, K(), whole}, matrix_of<Operand>(all), dW.write);
      } else {
        Tensor below = states[l - 1];
        if (!masks.empty()) {
          Tensor masked = Tensor::empty(below.shape(), dtype_of<T>);
          kernels::multiply<T>(masked.data<T>(), y[l - 1].data<T>(), masks[l - 1].data<T>(), masked.size(),
                               Write::kAssign);
          below = operand_like(x, masked);
        }
        layer.add_input_weight<T>({to, layer.gates_width(), width}, matrix_of<Operand>(below), dW.write);
      }
    }
    Tensor before;
    if (d.wants(first + 1)) {
      before = Tensor::empty({N(), width}, x.dtype());
      layer.states_before(before, states[l], 0);
    }
    layer.give_parameters<T, Operand>(d, first, before);
    if (l == 0 && d.wants(kX)) {
      Grads::Slot dx = d.slot(kX);
      layer.add_input<T, Operand>({dx.tensor.data<T>(), N(), in},
                                  {layer.weights.input.data<Operand>(), layer.gates_width(), in, in + K()}, dx.write);
    }
    layer.dgates = Tensor();
    for (const bool cells : {false, true}) {
      Tensor& of_step = cells ? layer.dcells : layer.dstate;
      const std::size_t input = first + (cells ? 5 : 4);
      if (!of_step.defined() || !d.wants(input)) continue;
      Tensor unsorted = Tensor::empty(of_step.shape(), of_step.dtype());
      layer.unsort(unsorted, of_step, 0);
      d.give(input, unsorted);
    }
  }
}

template <typename T, typename Operand>
void AttentivePass::backward(std::span<const Tensor> dy, Grads& d) {
  const Dim width = C(), B = top().sequences();
  const DType dtype = dtype_of<T>;
  Collected c;
  c.dcontexts = Tensor::zeros({N(), M()}, dtype);
  c.dcontext = Tensor::empty({B, M()}, dtype);
  c.scratch = StepArray(Tensor::empty({B, width}, dtype), x);
  c.dkeys = Tensor::zeros(keys.shape(), dtype);
  if (score.defined()) {
    c.dscores = Tensor::zeros({B, width}, dtype);
    c.dqueries = Tensor::empty({N(), width}, x.dtype());
  }
  if (after()) {
    c.dcombined = Tensor::empty({N(), width}, x.dtype());
    c.dfed = StepArray(Tensor::zeros({B, width}, dtype), x);
  }
  std::vector<Tensor> states;  // y as operands
  for (const Tensor& of_layer : y) states.push_back(operand_like(x, of_layer));
  // What the queries are, or were computed from, [N, C].
  const Tensor& asking = score.defined() ? states.back() : y.back();
  Tensor asked = asking;
  if (!after()) {
    asked = Tensor::empty(asking.shape(), asking.dtype());
    top().states_before(asked, asking, 0);
  }
  if (score.defined()) {
    c.all_queries = Tensor::empty({N(), width}, dtype);
    project<T, Operand>({c.all_queries.data<T>(), N(), width}, matrix_of<Operand>(asked), matrix_of<Operand>(query),
                        nullptr);
  } else {
    c.all_queries = asked;
  }
  queries = Tensor::empty({B, width}, dtype);
  for (RecurrentLayer& layer : layers) layer.begin_backward(Tensor(), Tensor(), 0);
  for (Dim t = steps().steps(); t-- > 0;) {
    const auto rows = steps().rows_of(t);
    const auto A = static_cast<Dim>(rows.size());
    kernels::copy_rows<T>(queries.data<T>(), nullptr, width, c.all_queries.data<T>(), rows.data(), width, A, width);
    if (after()) {
      combine_backward<T, Operand>(*this, c, t, A, dy[0]);
      attend_backward<T, Operand>(*this, c, t, A, queries.data<T>());
      layers_backward<T, Operand>(*this, c, t, A, nullptr);
      flow(c.dfed.values.data<T>(), layers.front().dinput.rows<Operand>(A), fed_weight<Operand>(), Write::kAssign);
      continue;
    }
    layers_backward<T, Operand>(*this, c, t, A, dy[0].defined() ? dy[0].data<T>() : nullptr);
    T* const dcontext = c.dcontext.data<T>();
    const bool given = dy[1].defined();
    if (given) kernels::copy_rows<T>(dcontext, nullptr, M(), dy[1].data<T>(), rows.data(), M(), A, M());
    flow(dcontext, layers.front().dinput.rows<Operand>(A), fed_weight<Operand>(), given ? Write::kAdd : Write::kAssign);
    kernels::copy_rows<T>(c.dcontexts.data<T>(), rows.data(), M(), dcontext, nullptr, M(), A, M());
    attend_backward<T, Operand>(*this, c, t, A, queries.data<T>());
  }
  give_layers<T, Operand>(d, states);
  d.give(kKeys, c.dkeys);
  if (d.wants(kMemory)) {
    kernels::sequence_attention_memory_backward<T>(d.data<T>(kMemory), M(), c.dcontexts.data<T>(), weights.data<T>(),
                                                   groups);
  }
  if (score.defined()) {
    if (d.wants(kQuery)) {
      Grads::Slot dW = d.slot(kQuery);
      matmul<T, Operand>({dW.tensor.data<T>(), width, width}, matrix_of<Operand>(c.dqueries), Transpose::kYes,
                         matrix_of<Operand>(asked), Transpose::kNo, dW.write);
    }
    if (d.wants(kScore)) {
      Grads::Slot dscore = d.slot(kScore);
      kernels::column_sums<T>(dscore.tensor.data<T>(), dscore.write, {c.dscores.data<T>(), B, width});
    }
  }
  if (after() && d.wants(kCombine)) {
    Grads::Slot dW = d.slot(kCombine);
    const Dim whole = width + M();
    const Matrix<const Operand> g = matrix_of<Operand>(c.dcombined);
    matmul<T, Operand>({dW.tensor.data<T>(), width, width, whole}, g, Transpose::kYes,
                       matrix_of<Operand>(states.back()), Transpose::kNo, dW.write);
    matmul<T, Operand>({dW.tensor.data<T>() + width, width, M(), whole}, g, Transpose::kYes,
                       matrix_of<Operand>(contexts), Transpose::kNo, dW.write);
  }
}

template void AttentivePass::backward<float, float>(std::span<const Tensor>, Grads&);
template void AttentivePass::backward<double, double>(std::span<const Tensor>, Grads&);
template void AttentivePass::backward<float, Bf16>(std::span<const Tensor>, Grads&);

}  // namespace rapt
