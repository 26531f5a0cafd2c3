#include "train/optimise/parameters.h"

#include <algorithm>

#include "tensor/error.h"

namespace rapt {

FlatParameters::FlatParameters(Module& model, const ParameterRules& rules) {
  constexpr Dim kAlign = 16;  // elements: 64 bytes of f32
  for (NamedParameter& p : parameters_of(model)) {
    entries_.push_back({.name = p.name,
                        .variable = p.variable,
                        .decayed = p.variable.shape().rank() >= 2,
                        .frozen = !p.variable.requires_grad() || (rules.frozen && rules.frozen(p.name)),
                        .rate = rules.rate ? rules.rate(p.name) : 1});
  }
  // Not std::ranges::stable_partition, which clang 14 does not support.
  std::stable_partition(entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.frozen; });
  Dim size = 0;
  for (Entry& entry : entries_) {
    entry.begin = size;
    size += (entry.variable.value().size() + kAlign - 1) / kAlign * kAlign;
    if (!entry.frozen) trained_size_ = size;
  }
  if (trained_size_ == 0) throw UsageError("train: every parameter is frozen; leave some of them trainable");
  values_ = Tensor::zeros({size}, entries_.front().variable.dtype());
  for (Entry& entry : entries_) {
    Tensor value = part(values_, entry);
    value.copy_from(entry.variable.value());
    entry.variable.rebind(value);
    if (entry.frozen) entry.variable.freeze();
  }
  release_unused_memory();  // where the parameters were before
}

Tensor FlatParameters::gradient(const Entry& entry) {
  Variable variable = entry.variable;
  Tensor& gradient = variable.grad();
  if (!gradient.defined()) {
    gradient = Tensor::zeros(variable.shape(), variable.dtype());
  }
  return gradient;
}

void FlatParameters::drop_gradients() {
  for (Entry& entry : entries_) entry.variable.clear_grad();
}

}  // namespace rapt
