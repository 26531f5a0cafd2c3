// A model's parameters and their gradients in two flat buffers, as optimisers and checkpoints want them.
#pragma once

#include <string>
#include <vector>

#include "nn/module.h"

namespace rapt {

/// Rebinds every parameter of a module, value and gradient, to views into flat buffers. Each starts at a multiple of 64
/// bytes; what lies in between is zero and stays zero.
class FlatParameters final {
 public:
  struct Entry {
    std::string name;
    Variable variable;
    Dim begin = 0;
    bool decayed = false;  ///< weight decay applies: matrices and tables, not biases and gains
  };

  /// \param with_gradients  false where nothing is trained: no gradient buffer is made
  explicit FlatParameters(Module& model, bool with_gradients = true);

  const std::vector<Entry>& entries() const { return entries_; }
  Tensor& values() { return values_; }
  Tensor& gradients() { return gradients_; }
  DType dtype() const { return values_.dtype(); }
  /// Elements of the buffers, gaps included.
  Dim size() const { return values_.size(); }
  /// The part of another buffer of the same layout (a moment, say) that belongs to an entry.
  static Tensor part(const Tensor& buffer, const Entry& entry) {
    return buffer.view(entry.begin, entry.variable.shape());
  }

  /// Neighbouring entries with the same decay are one stretch.
  struct Stretch {
    Dim begin = 0, end = 0;
    bool decayed = false;
  };
  const std::vector<Stretch>& stretches() const { return stretches_; }

  /// The parameter that element `index` of the buffers belongs to.
  const Entry& entry_at(Dim index) const;

 private:
  std::vector<Entry> entries_;
  std::vector<Stretch> stretches_;
  Tensor values_, gradients_;
};

}  // namespace rapt
