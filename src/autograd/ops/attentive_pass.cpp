#include "autograd/ops/attentive_pass.h"

#include "tensor/kernels/activation.h"

namespace rapt {

std::vector<kernels::AttentionGroup> AttentivePass::groups_of(Dim t) const {
  std::vector<kernels::AttentionGroup> step;
  for (std::size_t i = 0; i < steps().rows_of(t).size(); ++i) {
    kernels::AttentionGroup group = groups[static_cast<std::size_t>(steps().sequences[i])];
    group.weights += t * group.keys;
    group.first_query = static_cast<Dim>(i);
    group.queries = 1;
    step.push_back(group);
  }
  return step;
}

// Attention of step t, from the top layer's state to `context`.
template <typename T>
void AttentivePass::attend(Dim t, Dim A) {
  const T* q = top().state.data<T>();
  if (score.defined()) {
    project<T>({queries.data<T>(), A, C()}, {q, A, C()}, {query.data<T>(), C(), C()}, nullptr);
    q = queries.data<T>();
  }
  kernels::sequence_attention_forward<T>(context.data<T>(), weights.data<T>(), q, attention<T>(), groups_of(t));
  kernels::copy_rows<T>(contexts.data<T>(), steps().rows_of(t).data(), M(), context.data<T>(), nullptr, M(), A, M());
}

// All layers of step t, from what the bottom one is fed.
template <typename T>
void AttentivePass::run_layers(Dim t, Dim A) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    RecurrentLayer& layer = layers[l];
    Matrix<T> product(products.data<T>(), A, layer.gates_width());
    if (l == 0) {
      project<T>(product, {fed.data<T>(), A, K()}, fed_weight<T>(), nullptr);
    } else {
      const T* below = layers[l - 1].state.data<T>();
      if (!masks.empty()) {
        mask<T>(inputs.data<T>(), below, masks[l - 1], t);
        below = inputs.data<T>();
      }
      project<T>(product, {below, A, C()}, {layer.weights.input.data<T>(), layer.gates_width(), C()},
                 layer.weights.input_bias.defined() ? layer.weights.input_bias.data<T>() : nullptr);
    }
    layer.forward<T>(t, products.data<T>(), y[l].data<T>(), C());
  }
}

template <typename T>
void AttentivePass::forward() {
  layers.front().fill_gates<T>({x.data<T>(), N(), x.shape()[1]});
  for (Dim t = 0; t < steps().steps(); ++t) {
    const auto rows = steps().rows_of(t);
    const auto A = static_cast<Dim>(rows.size());
    if (!after()) attend<T>(t, A);
    run_layers<T>(t, A);
    if (!after()) continue;
    attend<T>(t, A);
    T* const to = fed.data<T>();
    const Dim width = C();
    project<T>({to, A, width}, {top().state.data<T>(), A, width}, combine_part<T>(false), nullptr);
    const auto apply_tanh = [to, width](Dim r0, Dim r1, Dim c0, Dim c1) {
      const Matrix<T> tile(to + r0 * width + c0, r1 - r0, c1 - c0, width);
      kernels::activation_tile<T>(tile, tile, Activation::kTanh);
    };
    matmul<T>({to, A, width}, {context.data<T>(), A, M()}, Transpose::kNo, combine_part<T>(true), Transpose::kYes,
              Write::kAdd, {}, apply_tanh);
    kernels::copy_rows<T>(f.data<T>(), rows.data(), width, to, nullptr, width, A, width);
  }
}

#define RAPT_ATTENTIVE_FORWARD(T, ...) template void AttentivePass::forward<T>();
RAPT_FOR_FLOATS(RAPT_ATTENTIVE_FORWARD)
#undef RAPT_ATTENTIVE_FORWARD

}  // namespace rapt
