// A model's parameters and their gradients in two flat buffers, as optimisers and checkpoints want them.
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

/// Rebinds every parameter of a module, value and gradient, to views into flat buffers. Each starts at a multiple of 64
/// bytes; what lies in between is zero and stays zero. Frozen parameters come last and have no gradient: buffers of
/// gradients and moments are only as long as trained_size().
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
  Tensor& gradients() { return gradients_; }
  DType dtype() const { return values_.dtype(); }
  /// Elements of the parameters that are trained, gaps included.
  Dim trained_size() const { return gradients_.size(); }
  /// The part of another buffer of the same layout (a moment, say) that belongs to an entry.
  static Tensor part(const Tensor& buffer, const Entry& entry) {
    return buffer.view(entry.begin, entry.variable.shape());
  }

  /// Neighbouring entries with the same decay and rate are one stretch. Frozen ones are in none.
  struct Stretch {
    Dim begin = 0, end = 0;
    bool decayed = false;
    double rate = 1;
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
