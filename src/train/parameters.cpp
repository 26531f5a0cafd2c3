#include "train/parameters.h"

#include <algorithm>

#include "tensor/error.h"

namespace rapt {

FlatParameters::FlatParameters(Module& model, const ParameterRules& rules) {
  constexpr Dim kAlign = 16;  // elements: 64 bytes of f32
  for (NamedParameter& p : parameters_of(model)) {
    entries_.push_back({.name = p.name,
                        .variable = p.variable,
                        .decayed = p.variable.shape().rank() >= 2,
                        .frozen = rules.frozen && rules.frozen(p.name),
                        .rate = rules.rate ? rules.rate(p.name) : 1});
  }
  std::ranges::stable_partition(entries_, [](const Entry& entry) { return !entry.frozen; });
  Dim size = 0, trained = 0;
  for (Entry& entry : entries_) {
    entry.begin = size;
    size += (entry.variable.value().size() + kAlign - 1) / kAlign * kAlign;
    if (entry.frozen) continue;
    trained = size;
    if (stretches_.empty() || stretches_.back().decayed != entry.decayed || stretches_.back().rate != entry.rate) {
      stretches_.push_back({entry.begin, size, entry.decayed, entry.rate});
    }
    stretches_.back().end = size;
  }
  if (trained == 0) throw UsageError("train: every parameter is frozen; leave something to train");
  const DType dtype = entries_.front().variable.dtype();
  values_ = Tensor::zeros({size}, dtype);
  gradients_ = Tensor::zeros({trained}, dtype);
  for (Entry& entry : entries_) {
    Tensor value = part(values_, entry);
    value.copy_from(entry.variable.value());
    entry.variable.rebind(value, entry.frozen ? Tensor() : part(gradients_, entry));
    if (entry.frozen) entry.variable.freeze();
  }
  release_unused_memory();  // where the parameters were before
}

const FlatParameters::Entry& FlatParameters::entry_at(Dim index) const {
  const auto after = std::ranges::upper_bound(entries_, index, {}, &Entry::begin);
  return *std::prev(after);
}

}  // namespace rapt
