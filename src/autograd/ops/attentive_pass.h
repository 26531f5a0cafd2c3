// The steps of attentive_recurrence(), forward and backward.
#pragma once

#include <span>
#include <vector>

#include "autograd/ops/recurrent_layer.h"
#include "tensor/kernels/sequence_attention.h"
#include "tensor/parallel.h"

namespace rapt {

/// The whole decoder, kept for the backward pass. Arrays [N, ...] are in the order of the packing, arrays [B, ...] have
/// the rows of a step in the order of TimeSteps::sequences.
struct AttentivePass {
  /// Inputs of the op; then W_ih, W_hh, b_ih, b_hh, h, c of each layer.
  enum Input : std::size_t { kX, kKeys, kMemory, kQuery, kScore, kCombine, kLayers };
  static constexpr std::size_t kPerLayer = 6;

  std::vector<RecurrentLayer> layers;
  std::vector<Tensor> masks;
  std::vector<kernels::AttentionGroup> groups;
  Tensor x, query, combine;  // operands
  Tensor keys, memory, score;
  std::vector<Tensor> y;      // [N, C] of each layer: h. See keep_operands()
  Tensor contexts;            // [N, M]
  Tensor weights;             // of all pairs
  Tensor f;                   // [N, C], with `combine`
  Tensor first_fed;           // [B, C], with `combine`
  StepArray fed;              // [B, K], scratch: what the bottom layer is fed
  StepArray context, inputs;  // [B, M], [B, C], scratch
  Tensor queries, products;   // [B, C], [B, G C], scratch

  bool after() const { return combine.defined(); }
  Dim C() const { return layers.front().C; }
  Dim M() const { return memory.shape()[1]; }
  Dim K() const { return after() ? C() : M(); }
  Dim N() const { return x.shape()[0]; }
  const TimeSteps& steps() const { return layers.front().steps; }
  RecurrentLayer& top() { return layers.back(); }

  template <typename T, typename Operand>
  void forward();
  /// After the forward pass: makes operands of the arrays that the backward pass only multiplies.
  void keep_operands();
  /// \param dy  of f, or of h and the contexts
  template <typename T, typename Operand>
  void backward(std::span<const Tensor> dy, Grads& d);

  /// The groups of one step: a query per sequence that has it, in the order of the steps.
  std::vector<kernels::AttentionGroup> groups_of(Dim t) const;
  template <typename T>
  kernels::SequenceAttention<T> attention() const {
    return {C(), M(), keys.data<T>(), memory.data<T>(), score.defined() ? score.data<T>() : nullptr};
  }
  /// The columns of the bottom layer's W_ih for what is fed, and of the two parts of `combine`.
  template <typename Operand>
  Matrix<const Operand> fed_weight() const {
    const Tensor& W = layers.front().weights.input;
    return {W.data<Operand>() + x.shape()[1], layers.front().gates_width(), K(), W.shape()[1]};
  }
  template <typename Operand>
  Matrix<const Operand> combine_part(bool of_context) const {
    const Operand* const data = combine.data<Operand>();
    return {of_context ? data + C() : data, C(), of_context ? M() : C(), C() + M()};
  }
  /// to[i] = from[i] * the mask's row of step t's i-th token.
  template <typename T>
  void mask(T* to, const T* from, const Tensor& factors, Dim t) const {
    const auto rows = steps().rows_of(t);
    const Dim width = C();
    parallel_blocks(static_cast<Dim>(rows.size()), rows_per_block(width), [&](Dim begin, Dim end) {
      for (Dim i = begin; i < end; ++i) {
        const T* const factor = factors.data<T>() + rows[static_cast<std::size_t>(i)] * width;
        for (Dim j = 0; j < width; ++j) to[i * width + j] = from[i * width + j] * factor[j];
      }
    });
  }

 private:
  template <typename T, typename Operand>
  void attend(Dim t, Dim A);
  template <typename T, typename Operand>
  void run_layers(Dim t, Dim A);
  template <typename T, typename Operand>
  void give_layers(Grads& d, const std::vector<Tensor>& states);
};

}  // namespace rapt
