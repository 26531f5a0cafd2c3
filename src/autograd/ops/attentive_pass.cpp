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
template <typename T, typename Operand>
void AttentivePass::attend(Dim t, Dim A) {
  const T* q = top().state.values.data<T>();
  if (score.defined()) {
    project<T, Operand>({queries.data<T>(), A, C()}, top().state.rows<Operand>(A), matrix_of<Operand>(query), nullptr);
    q = queries.data<T>();
  }
  T* const to = context.values.data<T>();
  kernels::sequence_attention_forward<T>(to, weights.data<T>(), q, attention<T>(), groups_of(t));
  context.changed(A);
  kernels::copy_rows<T>(contexts.data<T>(), steps().rows_of(t).data(), M(), to, nullptr, M(), A, M());
}

// All layers of step t, from what the bottom one is fed.
template <typename T, typename Operand>
void AttentivePass::run_layers(Dim t, Dim A) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    RecurrentLayer& layer = layers[l];
    Matrix<T> product(products.data<T>(), A, layer.gates_width());
    if (l == 0) {
      project<T, Operand>(product, fed.rows<Operand>(A), fed_weight<Operand>(), nullptr);
    } else {
      const StepArray& below = layers[l - 1].state;
      if (!masks.empty()) {
        mask<T>(inputs.values.data<T>(), below.values.data<T>(), masks[l - 1], t);
        inputs.changed(A);
      }
      project<T, Operand>(product, (masks.empty() ? below : inputs).rows<Operand>(A),
                          matrix_of<Operand>(layer.weights.input),
                          layer.weights.input_bias.defined() ? layer.weights.input_bias.data<T>() : nullptr);
    }
    layer.forward<T, Operand>(t, products.data<T>(), y[l].data<T>(), C());
  }
}

template <typename T, typename Operand>
void AttentivePass::forward() {
  layers.front().fill_gates<T>(matrix_of<Operand>(x));
  for (Dim t = 0; t < steps().steps(); ++t) {
    const auto rows = steps().rows_of(t);
    const auto A = static_cast<Dim>(rows.size());
    if (!after()) attend<T, Operand>(t, A);
    run_layers<T, Operand>(t, A);
    if (!after()) continue;
    attend<T, Operand>(t, A);
    T* const to = fed.values.data<T>();
    const Dim width = C();
    project<T, Operand>({to, A, width}, top().state.rows<Operand>(A), combine_part<Operand>(false), nullptr);
    const auto apply_tanh = [to, width](Dim r0, Dim r1, Dim c0, Dim c1) {
      const Matrix<T> tile(to + r0 * width + c0, r1 - r0, c1 - c0, width);
      kernels::activation_tile<T>(tile, tile, Activation::kTanh);
    };
    matmul<T, Operand>({to, A, width}, context.rows<Operand>(A), Transpose::kNo, combine_part<Operand>(true),
                       Transpose::kYes, Write::kAdd, {}, apply_tanh);
    fed.changed(A);
    kernels::copy_rows<T>(f.data<T>(), rows.data(), width, to, nullptr, width, A, width);
  }
}

template void AttentivePass::forward<float, float>();
template void AttentivePass::forward<double, double>();
template void AttentivePass::forward<float, Bf16>();

// The backward passes of a GRU, of attention without a query's product, and of masks also compute with the states.
void AttentivePass::keep_operands() {
  contexts = operand_like(x, contexts);
  if (top().cell == RecurrentCell::kGru) return;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (l + 1 < layers.size() ? masks.empty() : score.defined()) y[l] = operand_like(x, y[l]);
  }
}

}  // namespace rapt
