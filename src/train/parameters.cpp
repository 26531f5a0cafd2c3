#include "train/parameters.h"

#include <algorithm>

namespace rapt {

FlatParameters::FlatParameters(Module& model, bool with_gradients) {
  constexpr Dim kAlign = 16;  // elements: 64 bytes of f32
  DType dtype = DType::kF32;
  Dim size = 0;
  for (NamedParameter& p : parameters_of(model)) {
    dtype = p.variable.dtype();
    const bool decayed = p.variable.shape().rank() >= 2;
    const Dim end = size + (p.variable.value().size() + kAlign - 1) / kAlign * kAlign;
    if (stretches_.empty() || stretches_.back().decayed != decayed) stretches_.push_back({size, size, decayed});
    stretches_.back().end = end;
    entries_.push_back({p.name, p.variable, size, decayed});
    size = end;
  }
  values_ = Tensor::zeros({size}, dtype);
  if (with_gradients) gradients_ = Tensor::zeros({size}, dtype);
  for (Entry& entry : entries_) {
    Tensor value = part(values_, entry);
    value.copy_from(entry.variable.value());
    entry.variable.rebind(value, with_gradients ? part(gradients_, entry) : Tensor());
  }
  release_unused_memory();  // where the parameters were before
}

const FlatParameters::Entry& FlatParameters::entry_at(Dim index) const {
  const auto after = std::ranges::upper_bound(entries_, index, {}, &Entry::begin);
  return *std::prev(after);
}

}  // namespace rapt
