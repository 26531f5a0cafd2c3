// A model's parameters in one flat buffer, as optimisers and checkpoints want them, and their gradients.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/module.h"

namespace rapt {

/// What is not the same for all parameters. Both take the parameter's name.
struct ParameterRules {
  std::function<bool(const std::string&)> frozen = {};  ///< keeps its value; not set: none does
  std::function<double(const std::string&)> rate = {};  ///< its share of the learning rate; not set: 1
};

/// Rebinds the value of every parameter of a module to a view into a flat buffer. Each starts at a multiple of 64
/// bytes; what lies in between is zero and stays zero. Frozen parameters come last: buffers of moments are only as long
/// as trained_size().
///
/// Gradients are tensors of their own, made when the way back reaches their parameter and given back with the update.
/// So they take the place of the activations that the way back has used up, instead of standing beside all of them.
class FlatParameters final {
 public:
  struct Entry {
    std::string name;
    Variable variable;
    Dim begin = 0;
    bool decayed = false;  ///< weight decay applies: matrices and tables, not biases and gains
    bool frozen = false;
    double rate = 1;  ///< share of the learning rate
  };

  explicit FlatParameters(Module& model, const ParameterRules& rules = {});

  const std::vector<Entry>& entries() const { return entries_; }
  Tensor& values() { return values_; }
  /// The gradient of an entry that is trained; zeros if nothing has reached it.
  static Tensor gradient(const Entry& entry);
  /// Gives all gradients back: the next ones begin from nothing.
  void drop_gradients();
  DType dtype() const { return values_.dtype(); }
  /// Elements of the parameters that are trained, gaps included.
  Dim trained_size() const { return trained_size_; }
  /// The part of another buffer of the same layout (a moment, say) that belongs to an entry.
  static Tensor part(const Tensor& buffer, const Entry& entry) {
    return buffer.view(entry.begin, entry.variable.shape());
  }

 private:
  std::vector<Entry> entries_;
  Tensor values_;
  Dim trained_size_ = 0;
};

}  // namespace rapt
