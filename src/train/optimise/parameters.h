// A model's parameters in one flat buffer, for optimisers and checkpoints, and their gradients.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/module.h"

namespace rapt {

/// Properties that differ between parameters. Both functions take the parameter's name.
struct ParameterRules {
  std::function<bool(const std::string&)> frozen = {};  ///< keeps its value, as one that requires no gradient does
  std::function<double(const std::string&)> rate = {};  ///< its factor of the learning rate; not set: 1
};

/// Rebinds the value of every parameter of a module to a view of a flat buffer. Each starts at a multiple of 64 bytes;
/// the gaps are zero and stay zero. Frozen parameters come last, so buffers of moments are only as long as
/// trained_size().
///
/// Gradients are separate tensors, allocated when the backward pass reaches their parameter and freed after the update.
/// They therefore use the memory of activations that the backward pass no longer needs, instead of additional memory.
class FlatParameters final {
 public:
  struct Entry {
    std::string name;
    Variable variable;
    Dim begin = 0;
    bool decayed = false;  ///< weight decay applies: matrices and tables, not biases and gains
    bool frozen = false;
    double rate = 1;  ///< factor of the learning rate
  };

  explicit FlatParameters(Module& model, const ParameterRules& rules = {});

  const std::vector<Entry>& entries() const { return entries_; }
  Tensor& values() { return values_; }
  /// The gradient of a trained entry; zeros if no gradient has reached it.
  static Tensor gradient(const Entry& entry);
  /// Frees all gradients: the next ones start from zero.
  void drop_gradients();
  DType dtype() const { return values_.dtype(); }
  /// Number of elements of the trained parameters, including gaps.
  Dim trained_size() const { return trained_size_; }
  /// The part of another buffer with the same layout (a moment, for example) that belongs to an entry.
  static Tensor part(const Tensor& buffer, const Entry& entry) {
    return buffer.view(entry.begin, entry.variable.shape());
  }

 private:
  std::vector<Entry> entries_;
  Tensor values_;
  Dim trained_size_ = 0;
};

}  // namespace rapt
