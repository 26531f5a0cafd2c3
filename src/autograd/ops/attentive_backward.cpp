#include "autograd/ops/attentive_pass.h"
#include "tensor/kernels/column_sums.h"
#include "tensor/kernels/elementwise.h"

namespace rapt {
namespace {

// The gradients that the backward pass of the steps collects.
template <typename T>
struct Collected {
  Tensor dcontexts;       // [N, M]
  Tensor dqueries;        // [N, C], with additive scores
  Tensor dcombined;       // [N, C], with `combine`: of what tanh is applied to
  Tensor all_queries;     // [N, C], with additive scores: the queries again
  Tensor dkeys, dscores;  // [S, C], [B, C]
  Tensor dcontext;        // [B, M], scratch: of a step
  Tensor dfed;            // [B, C]: of f, from the next step
  Tensor scratch;         // [B, C]
};

// dstate (+)= W's share of a step's gradient, A rows.
template <typename T>
void flow(T* to, Dim width, const T* from, Dim A, Matrix<const T> W, Write write) {
  matmul<T>({to, A, width}, {from, A, W.rows}, Transpose::kNo, W, Transpose::kNo, write);
}

// Attention of step t, back: from the gradients of its contexts, in `dcontext`, to the top layer's state.
template <typename T>
void attend_backward(AttentivePass& p, Collected<T>& c, Dim t, Dim A, const T* queries) {
  const Dim C = p.C();
  T* const dq = c.scratch.template data<T>();
  kernels::sequence_attention_backward<T>(
      dq, c.dkeys.template data<T>(), c.dscores.defined() ? c.dscores.template data<T>() : nullptr,
      c.dcontext.template data<T>(), p.weights.data<T>(), queries, p.attention<T>(), p.groups_of(t));
  T* const dstate = p.top().dstate.template data<T>();
  if (!p.score.defined()) {
    kernels::add<T>(dstate, dstate, dq, A * C);
    return;
  }
  kernels::copy_rows<T>(c.dqueries.template data<T>(), p.steps().rows_of(t).data(), C, dq, nullptr, C, A, C);
  flow<T>(dstate, C, dq, A, {p.query.data<T>(), C, C}, Write::kAdd);
}

// f = tanh(combine([h; c])) of step t, back to h and c.
template <typename T>
void combine_backward(AttentivePass& p, Collected<T>& c, Dim t, Dim A, const Tensor& df) {
  const Dim C = p.C();
  const auto rows = p.steps().rows_of(t);
  const Dim width = C;
  T *const dfed = c.dfed.template data<T>(), *const all = c.dcombined.template data<T>();
  const T *const f = p.f.data<T>(), *const given = df.defined() ? df.data<T>() : nullptr;
  parallel_blocks(A, rows_per_block(width), [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) {
      const Dim n = rows[static_cast<std::size_t>(i)] * width;
      for (Dim j = 0; j < width; ++j) {
        const T g = (dfed[i * width + j] + (given == nullptr ? T{0} : given[n + j])) * (1 - f[n + j] * f[n + j]);
        dfed[i * width + j] = g;
        all[n + j] = g;
      }
    }
  });
  flow<T>(p.top().dstate.template data<T>(), C, dfed, A, p.combine_part<T>(false), Write::kAdd);
  flow<T>(c.dcontext.template data<T>(), p.M(), dfed, A, p.combine_part<T>(true), Write::kAssign);
  kernels::copy_rows<T>(c.dcontexts.template data<T>(), rows.data(), p.M(), c.dcontext.template data<T>(), nullptr,
                        p.M(), A, p.M());
}

// All layers of step t, back to what the bottom one was fed.
template <typename T>
void layers_backward(AttentivePass& p, Collected<T>& c, Dim t, Dim A, const T* dy) {
  const Dim C = p.C();
  for (std::size_t l = p.layers.size(); l-- > 0;) {
    RecurrentLayer& layer = p.layers[l];
    layer.backward<T>(t, l + 1 == p.layers.size() ? dy : nullptr, C, p.y[l].template data<T>(), C, true);
    const T* const dinput = layer.dinput.data<T>();
    if (l == 0) break;
    T* const below = p.layers[l - 1].dstate.template data<T>();
    const Matrix<const T> W(layer.weights.input.data<T>(), layer.gates_width(), C);
    if (p.masks.empty()) {
      flow<T>(below, C, dinput, A, W, Write::kAdd);
    } else {
      T* const share = c.scratch.template data<T>();
      flow<T>(share, C, dinput, A, W, Write::kAssign);
      p.mask<T>(share, share, p.masks[l - 1], t);
      kernels::add<T>(below, below, share, A * C);
    }
  }
}

}  // namespace

template <typename T>
void AttentivePass::give_layers(Grads& d) {
  const Dim in = x.shape()[1], width = C();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    RecurrentLayer& layer = layers[l];
    const std::size_t first = kLayers + kPerLayer * l;
    if (d.wants(first)) {
      Grads::Slot dW = d.slot(first);
      T* const to = dW.tensor.data<T>();
      if (l == 0) {
        const Dim whole = in + K(), rows = layer.gates_width();
        layer.add_input_weight<T>({to, rows, in, whole}, {x.data<T>(), N(), in}, dW.write);
        Tensor all = contexts;  // what was fed
        if (after()) {
          all = Tensor::empty({N(), width}, x.dtype());
          for (Dim t = 0; t < steps().steps(); ++t) {
            const auto rows_t = steps().rows_of(t);
            kernels::copy_rows<T>(all.data<T>(), rows_t.data(), width, t == 0 ? first_fed.data<T>() : f.data<T>(),
                                  t == 0 ? nullptr : steps().rows_of(t - 1).data(), width,
                                  static_cast<Dim>(rows_t.size()), width);
          }
        }
        layer.add_input_weight<T>({to + in, rows, K(), whole}, {all.data<T>(), N(), K()}, dW.write);
      } else {
        Tensor below = y[l - 1];
        if (!masks.empty()) {
          below = Tensor::empty(below.shape(), below.dtype());
          kernels::multiply<T>(below.data<T>(), y[l - 1].data<T>(), masks[l - 1].data<T>(), below.size(),
                               Write::kAssign);
        }
        layer.add_input_weight<T>({to, layer.gates_width(), width}, {below.data<T>(), N(), width}, dW.write);
      }
    }
    Tensor before;
    if (d.wants(first + 1)) {
      before = Tensor::empty({N(), width}, x.dtype());
      layer.states_before<T>(before.data<T>(), y[l].data<T>(), width);
    }
    layer.give_parameters<T>(d, first, before.defined() ? before.data<T>() : nullptr);
    for (const bool cells : {false, true}) {
      Tensor& of_step = cells ? layer.dcells : layer.dstate;
      const std::size_t input = first + (cells ? 5 : 4);
      if (!of_step.defined() || !d.wants(input)) continue;
      Tensor unsorted = Tensor::empty(of_step.shape(), of_step.dtype());
      layer.unsort(unsorted, of_step, 0);
      d.give(input, unsorted);
    }
  }
  if (d.wants(kX)) {
    Grads::Slot dx = d.slot(kX);
    RecurrentLayer& bottom = layers.front();
    bottom.add_input<T>({dx.tensor.data<T>(), N(), in},
                        {bottom.weights.input.data<T>(), bottom.gates_width(), in, in + K()}, dx.write);
  }
}

template <typename T>
void AttentivePass::backward(std::span<const Tensor> dy, Grads& d) {
  const Dim width = C(), B = top().sequences();
  const DType dtype = x.dtype();
  Collected<T> c;
  c.dcontexts = Tensor::zeros({N(), M()}, dtype);
  c.dcontext = Tensor::empty({B, M()}, dtype);
  c.scratch = Tensor::empty({B, width}, dtype);
  c.dkeys = Tensor::zeros(keys.shape(), dtype);
  if (score.defined()) {
    c.dscores = Tensor::zeros({B, width}, dtype);
    c.dqueries = Tensor::empty({N(), width}, dtype);
  }
  if (after()) {
    c.dcombined = Tensor::empty({N(), width}, dtype);
    c.dfed = Tensor::zeros({B, width}, dtype);
  }
  // What the queries were computed from, [N, C].
  Tensor asked = y.back();
  if (!after()) {
    asked = Tensor::empty({N(), width}, dtype);
    top().states_before<T>(asked.data<T>(), y.back().data<T>(), width);
  }
  if (score.defined()) {
    c.all_queries = Tensor::empty({N(), width}, dtype);
    project<T>({c.all_queries.template data<T>(), N(), width}, {asked.data<T>(), N(), width},
               {query.data<T>(), width, width}, nullptr);
  } else {
    c.all_queries = asked;
  }
  queries = Tensor::empty({B, width}, dtype);
  for (RecurrentLayer& layer : layers) layer.begin_backward(Tensor(), Tensor(), 0);
  for (Dim t = steps().steps(); t-- > 0;) {
    const auto rows = steps().rows_of(t);
    const auto A = static_cast<Dim>(rows.size());
    kernels::copy_rows<T>(queries.data<T>(), nullptr, width, c.all_queries.template data<T>(), rows.data(), width, A,
                          width);
    if (after()) {
      combine_backward(*this, c, t, A, dy[0]);
      attend_backward(*this, c, t, A, queries.data<T>());
      layers_backward<T>(*this, c, t, A, nullptr);
      flow<T>(c.dfed.template data<T>(), width, layers.front().dinput.data<T>(), A, fed_weight<T>(), Write::kAssign);
      continue;
    }
    layers_backward<T>(*this, c, t, A, dy[0].defined() ? dy[0].data<T>() : nullptr);
    T* const dcontext = c.dcontext.template data<T>();
    const bool given = dy[1].defined();
    if (given) kernels::copy_rows<T>(dcontext, nullptr, M(), dy[1].data<T>(), rows.data(), M(), A, M());
    flow<T>(dcontext, M(), layers.front().dinput.data<T>(), A, fed_weight<T>(), given ? Write::kAdd : Write::kAssign);
    kernels::copy_rows<T>(c.dcontexts.template data<T>(), rows.data(), M(), dcontext, nullptr, M(), A, M());
    attend_backward(*this, c, t, A, queries.data<T>());
  }
  give_layers<T>(d);
  d.give(kKeys, c.dkeys);
  if (d.wants(kMemory)) {
    kernels::sequence_attention_memory_backward<T>(d.data<T>(kMemory), M(), c.dcontexts.template data<T>(),
                                                   weights.data<T>(), groups);
  }
  if (score.defined()) {
    if (d.wants(kQuery)) {
      Grads::Slot dW = d.slot(kQuery);
      matmul<T>({dW.tensor.data<T>(), width, width}, {c.dqueries.template data<T>(), N(), width}, Transpose::kYes,
                {asked.data<T>(), N(), width}, Transpose::kNo, dW.write);
    }
    if (d.wants(kScore)) {
      Grads::Slot dscore = d.slot(kScore);
      kernels::column_sums<T>(dscore.tensor.data<T>(), dscore.write, c.dscores.template data<T>(), B, width);
    }
  }
  if (after() && d.wants(kCombine)) {
    Grads::Slot dW = d.slot(kCombine);
    const Dim whole = width + M();
    const Matrix<const T> g(c.dcombined.template data<T>(), N(), width);
    matmul<T>({dW.tensor.data<T>(), width, width, whole}, g, Transpose::kYes, {y.back().data<T>(), N(), width},
              Transpose::kNo, dW.write);
    matmul<T>({dW.tensor.data<T>() + width, width, M(), whole}, g, Transpose::kYes, {contexts.data<T>(), N(), M()},
              Transpose::kNo, dW.write);
  }
}

#define RAPT_ATTENTIVE_BACKWARD(T, ...) template void AttentivePass::backward<T>(std::span<const Tensor>, Grads&);
RAPT_FOR_FLOATS(RAPT_ATTENTIVE_BACKWARD)
#undef RAPT_ATTENTIVE_BACKWARD

}  // namespace rapt
