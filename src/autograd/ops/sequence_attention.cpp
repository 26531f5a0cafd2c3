#include "autograd/ops/sequence_attention.h"

#include <string>

#include "tensor/kernels/column_sums.h"

namespace rapt {
namespace {

using Groups = std::vector<kernels::AttentionGroup>;

void check(const char* op, const Variable& query, const Packed& layout, const Variable& score,
           const AttentionMemory& over) {
  const auto require = [&](bool holds, const char* name, const std::string& wanted, const Variable& got) {
    require_shape(holds, [&] {
      return std::string(op) + ": " + name + " must be " + wanted + ", got " + got.shape().to_string();
    });
  };
  const std::string S = std::to_string(over.layout.rows());
  require(query.shape().rank() == 2 && query.shape()[0] == layout.rows(), "query",
          "[" + std::to_string(layout.rows()) + ", C] for this layout", query);
  const Dim C = query.shape()[1];
  require(over.keys.shape() == Shape{over.layout.rows(), C}, "keys", "[" + S + ", " + std::to_string(C) + "]",
          over.keys);
  require(over.memory.shape().rank() == 2 && over.memory.shape()[0] == over.layout.rows(), "memory", "[" + S + ", M]",
          over.memory);
  if (score.defined()) require(score.value().size() == C, "score", "[" + std::to_string(C) + "]", score);
}

SequenceAttentionOutput attend(const char* op, const Variable& query, const Packed& layout, const Variable& score,
                               const AttentionMemory& over) {
  check(op, query, layout, score, over);
  const Groups groups = attention_groups(op, layout, over);
  const Dim N = query.shape()[0], C = query.shape()[1], M = over.memory.shape()[1];
  Tensor contexts = Tensor::empty({N, M}, query.dtype());
  Tensor weights = Tensor::empty({weights_of(groups)}, query.dtype());
  const auto operands = [C, M]<typename T>(const Tensor& keys, const Tensor& memory, const Tensor& score) {
    return kernels::SequenceAttention<T>{C, M, keys.data<T>(), memory.data<T>(),
                                         score.defined() ? score.data<T>() : nullptr};
  };
  const Tensor keys = over.keys.value(), memory = over.memory.value();
  const Tensor scores = score.defined() ? score.value() : Tensor();
  dispatch_float(query.dtype(), [&]<typename T>() {
    kernels::sequence_attention_forward<T>(contexts.data<T>(), weights.data<T>(), query.value().data<T>(),
                                           operands.operator()<T>(keys, memory, scores), groups);
  });
  const Dim B = layout.sequences();
  if (!over.sequences.empty() && is_recording({&query, &over.keys, &over.memory, &score})) {
    throw std::invalid_argument(std::string(op) + ": shared keys have no gradients; use NoGrad");
  }
  Variable context = record(
      op, contexts, {query, over.keys, over.memory, score}, [=, queries = query.value()](const Tensor& dy, Grads d) {
        dispatch_float(dy.dtype(), [&]<typename T>() {
          const auto attention = operands.operator()<T>(keys, memory, scores);
          Tensor dquery = Tensor::empty(queries.shape(), queries.dtype());
          Tensor dkeys = Tensor::zeros(keys.shape(), keys.dtype());
          Tensor dscores = scores.defined() ? Tensor::zeros({B, C}, keys.dtype()) : Tensor();
          kernels::sequence_attention_backward<T>(dquery.data<T>(), dkeys.data<T>(),
                                                  dscores.defined() ? dscores.data<T>() : nullptr, dy.data<T>(),
                                                  weights.data<T>(), queries.data<T>(), attention, groups);
          d.give(0, dquery);
          d.give(1, dkeys);
          if (d.wants(2)) {
            kernels::sequence_attention_memory_backward<T>(d.data<T>(2), M, dy.data<T>(), weights.data<T>(), groups);
          }
          if (d.wants(3)) {
            Grads::Slot dscore = d.slot(3);
            kernels::column_sums<T>(dscore.tensor.data<T>(), dscore.write, {dscores.data<T>(), B, C});
          }
        });
      });
  return {.context = context, .weights = weights};
}

}  // namespace

Groups attention_groups(const char* op, const Packed& queries, const AttentionMemory& over) {
  const Dim known = over.sequences.empty() ? over.layout.sequences() : static_cast<Dim>(over.sequences.size());
  require_shape(queries.sequences() == known, [&] {
    return std::string(op) + ": queries and keys must have the same number of sequences, got " +
           std::to_string(queries.sequences()) + " and " + std::to_string(known);
  });
  const auto q = queries.offsets.span<std::int32_t>(), k = over.layout.offsets.span<std::int32_t>();
  Groups groups;
  Dim weights = 0;
  for (std::size_t b = 0; b + 1 < q.size(); ++b) {
    const std::size_t source = over.sequences.empty() ? b : static_cast<std::size_t>(over.sequences[b]);
    const Dim T = q[b + 1] - q[b], S = k[source + 1] - k[source];
    require_shape(T == 0 || S > 0,
                  [&] { return std::string(op) + ": sequence " + std::to_string(b) + " has queries but no keys"; });
    groups.push_back({.first_query = q[b],
                      .queries = T,
                      .first_key = k[source],
                      .keys = S,
                      .weights = weights,
                      .sequence = static_cast<Dim>(b)});
    weights += T * S;
  }
  return groups;
}

Dim weights_of(const Groups& groups) {
  return groups.empty() ? 0 : groups.back().weights + groups.back().queries * groups.back().keys;
}

SequenceAttentionOutput additive_attention(const Variable& query, const Packed& layout, const Variable& score,
                                           const AttentionMemory& over) {
  return attend("additive_attention", query, layout, score, over);
}

SequenceAttentionOutput dot_attention(const Variable& query, const Packed& layout, const AttentionMemory& over) {
  return attend("dot_attention", query, layout, Variable(), over);
}

}  // namespace rapt
